/** What a program with a token may try against the operations. */
import test from 'ava'
import { type Operation, perform } from '#admin/operation.ts'
import { listAudit, readAudit } from '#admin/operations/audit.ts'
import { listClientVersions, undoClient } from '#admin/operations/clients.ts'
import { listMessages } from '#admin/operations/outbox.ts'
import { writeCursor } from '#admin/paging.ts'
import { operatorBy } from '#admin/staff.ts'
import { buildWorld } from '../helpers/world.ts'

test('a number or a place no database holds is refused, or names nothing', async (t) => {
  const world = await buildWorld(t)
  const { clientId: id } = await world.buildApp({})
  const most = Number.MAX_SAFE_INTEGER
  const kindOf = async (one: unknown, input: object) =>
    (await perform(world.house, operatorBy('operator:test'), one as Operation, input)).kind
  t.is(await kindOf(listClientVersions, { id, cursor: writeCursor([most]) }), 'rejected')
  t.is(await kindOf(undoClient, { id, version: most, current: 1 }), 'rejected')
  t.is(await kindOf(listMessages, { cursor: writeCursor([most]) }), 'done')
  t.is(await kindOf(listAudit, { cursor: writeCursor([most, 'a', most]) }), 'done')
  t.is(await kindOf(readAudit, { chain: 'a', seq: most }), 'unknown')
  for (const cursor of ['', '%', 'e30', writeCursor([1.5]), writeCursor(['1'])]) {
    t.is(await kindOf(listMessages, { cursor }), 'rejected', cursor)
    t.is(await kindOf(listAudit, { cursor }), 'rejected', cursor)
  }
})
