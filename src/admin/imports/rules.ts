/** What a file may hold, and what is done with it. */
import { z } from 'zod'
import { day } from '#lib/time.ts'

export const most = {
  rows: 200_000,
  bytes: 50 * 1024 * 1024,
  /** Of one row: more than all its cells may hold. */
  rowBytes: 64 * 1024,
  /** Of one cell: no column holds as many. What is longer is kept so far as to show that it is. */
  cellLetters: 2_000,
  /** Each takes a tenth of a second: a hundred thousand would take hours. */
  plainPasswords: 1_000,
} as const

/** Rows that are sealed together, and letters in them. */
export const part = { rows: 500, letters: 256 * 1024 } as const

/** Seconds an upload is kept when nobody goes on with it. */
export const keptSeconds = 7 * day

export const existing = ['skip', 'update', 'refuse'] as const

/** Kept with the import. */
export const importRules = z.strictObject({
  /** What becomes of a row whose account is there already. */
  existing: z.enum(existing).default('skip'),
  /** As soon as it is checked, whatever was found, it is imported: for who has said so beforehand. */
  straight: z.boolean().default(false),
})
export type ImportRules = z.output<typeof importRules>
