/** Staff who act in a test, straight through the gate every page, call and command goes through. */
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { type Operation, perform } from '#admin/operation.ts'
import type { By, Grant } from '#admin/staff.ts'
import type { House } from '#http/house.ts'

export const acting = (grants: Grant[], actor = randomUUID()): By => ({
  actor,
  grants,
  fresh: true,
  where: { address: '192.0.2.9', ref: 'REF' },
  language: 'en',
})
export const owner = acting([{ role: 'owner', reach: '' }])
export const ofCounty = (county: string) => acting([{ role: 'support', reach: `county:${county}` }])

/** What it gives; throws where it was not done. */
export async function done<I extends z.ZodType, O extends z.ZodType>(
  house: House,
  by: By,
  one: Operation<I, O>,
  input: unknown,
): Promise<z.output<O>> {
  const outcome = await perform(house, by, one, input)
  if (outcome.kind !== 'done') throw new Error(`${one.id}: ${JSON.stringify(outcome)}`)
  return outcome.value
}
