/** The JSON Schema of each kind of file, for editors: made from what reads the files. */
import { z } from 'zod'
import { connectorFile } from './connector.ts'
import { enrolmentFile } from './enrolment.ts'
import { siteFile } from './schema.ts'

const files = { site: siteFile, connector: connectorFile, enrolment: enrolmentFile }
export type KindOfFile = keyof typeof files
export const kindsOfFile = Object.keys(files) as KindOfFile[]

/** What an editor is given cannot say all: `citygate config check` does. Draft 7 is what most of them understand. */
export const jsonSchemaOf = (kind: KindOfFile) =>
  z.toJSONSchema(files[kind], { io: 'input', target: 'draft-7' })

/** The text of `config/schema/<kind>.schema.json`. */
export const jsonSchemaText = (kind: KindOfFile): string =>
  `${JSON.stringify(jsonSchemaOf(kind), null, 2)}\n`
