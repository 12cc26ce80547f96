/** What several of an operator's files have in common. */
import { z } from 'zod'

export const words = z
  .strictObject({ 'zh-TW': z.string().min(1), en: z.string().min(1) })
  .meta({ id: 'words' })
/** A text in every language we speak. */
export type Words = z.infer<typeof words>
export type Language = keyof Words
export const languages = ['zh-TW', 'en'] as const satisfies Language[]

export const id = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes')
export const envName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, 'must be the NAME of an environment variable, never the value')
