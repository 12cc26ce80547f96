/** What a program with a token may try against the operations. */
import test from 'ava'
import { type Operation, perform } from '#admin/operation.ts'
import { listAudit, readAudit } from '#admin/operations/audit.ts'
import { listClients, listClientVersions, undoClient } from '#admin/operations/clients.ts'
import { listMessages } from '#admin/operations/outbox.ts'
import { listRegistrationTokens } from '#admin/operations/registration.ts'
import { listRequests } from '#admin/operations/requests.ts'
import { writeCursor } from '#admin/paging.ts'
import { operatorBy } from '#admin/staff.ts'
import { shapeOf } from '#http/api/shape.ts'
import { everyOperation } from '../helpers/api.ts'
import { sampleOf } from '../helpers/sample-input.ts'
import { buildWorld } from '../helpers/world.ts'

test('a number or a place no database holds is refused, or names nothing', async (t) => {
  const world = await buildWorld(t)
  const { clientId: id } = await world.buildApp({})
  const most = Number.MAX_SAFE_INTEGER
  const kindOf = async (one: Operation, input: object) =>
    (await perform(world.house, operatorBy('operator:test'), one, input)).kind
  t.is(await kindOf(listClientVersions, { id, cursor: writeCursor([most]) }), 'rejected')
  t.is(await kindOf(listClientVersions, { id, cursor: writeCursor([-most]) }), 'rejected')
  t.is(await kindOf(undoClient, { id, version: most, current: 1 }), 'rejected')
  t.is(await kindOf(listMessages, { cursor: writeCursor([most]) }), 'done')
  t.is(await kindOf(listAudit, { cursor: writeCursor(['newest', most, 'a', most]) }), 'done')
  t.is(await kindOf(readAudit, { chain: 'a', seq: most }), 'unknown')
  for (const cursor of ['', '%', 'e30', writeCursor([1.5]), writeCursor(['1'])]) {
    t.is(await kindOf(listMessages, { cursor }), 'rejected', cursor)
    t.is(await kindOf(listAudit, { cursor }), 'rejected', cursor)
  }
  const between = { cursor: writeCursor([1.5, 'a']) }
  const waiting = { cursor: writeCursor(['oldest', 1.5, 'a']) }
  t.is(await kindOf(listClients, { sort: 'created', ...between }), 'rejected')
  t.is(await kindOf(listRequests, waiting), 'rejected')
  t.is(await kindOf(listRegistrationTokens, between), 'rejected')
})

test('no field takes the square of what is sent to read', (t) => {
  const most = 20_000
  const texts = [`a@${'.'.repeat(most)}@`, `a${' '.repeat(most)}a`, `${'a-'.repeat(most / 2)}!`]
  for (const operation of everyOperation) {
    for (const field of Object.keys(shapeOf(operation).fields)) {
      for (const text of texts) {
        // Of this process alone: on a busy machine everything takes long.
        const began = process.cpuUsage()
        operation.input.safeParse({ ...sampleOf(operation), [field]: text })
        const took = process.cpuUsage(began).user / 1000
        t.true(took < 1_000, `${operation.id} ${field}: ${took} ms`)
      }
    }
  }
})
