/** Reads the small forms of the sandbox. */
import type { IncomingMessage } from 'node:http'
import rawBody from 'raw-body'

/** The fields of an urlencoded form of at most 16 KiB. */
export async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(await rawBody(req, { limit: '16kb', encoding: 'utf8' }))
}
