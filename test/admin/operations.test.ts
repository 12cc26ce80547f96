import test from 'ava'
import { queueMail } from '#accounts/mail.ts'
import { type Operation, perform } from '#admin/operation.ts'
import {
  exportAudit,
  listAudit,
  readAuditCheck,
  verifyAuditTrail,
} from '#admin/operations/audit.ts'
import { listKeyRing, revokeFromKeyRing, rotateKeyRing } from '#admin/operations/keys.ts'
import {
  countMessages,
  dropOne,
  listMessages,
  retryAll,
  retryOne,
} from '#admin/operations/outbox.ts'
import { readStatistics } from '#admin/operations/statistics.ts'
import { examineSystem, readSystem } from '#admin/operations/system.ts'
import { firstStepsOf, tasksOf } from '#admin/overview.ts'
import { writeCursor } from '#admin/paging.ts'
import type { By, Grant } from '#admin/staff.ts'
import { openSignInCounting } from '#jobs/count-sign-ins.ts'
import { openDatabase } from '#store/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const where = { address: '203.0.113.7', ref: 'k3v9x1m2' }
const by = (grants: Grant[], more: Partial<By> = {}): By => ({
  actor: 'staff-1',
  grants,
  fresh: true,
  where,
  language: 'en',
  ...more,
})
const owner = by([{ role: 'owner', reach: '' }])
const auditor = by([{ role: 'auditor', reach: '' }])
const ofNtpc = by([{ role: 'support', reach: 'county:ntpc' }])

/** Does it; what is not done fails the test. */
async function did<V>(
  { house }: World,
  who: By,
  operation: Operation,
  input: object = {},
): Promise<V> {
  const outcome = await perform(house, who, operation, input)
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
  return outcome.value as V
}

const kindOf = async ({ house }: World, who: By, operation: Operation, input: object = {}) =>
  (await perform(house, who, operation, input)).kind

type Listed<T> = { items: T[]; next?: string }

test('a key is rotated, replaced and revoked, and this process follows at once', async (t) => {
  const world = await buildWorld(t)
  const published = async () => {
    const { keys } = (await (await fetch(`${world.issuer}/jwks`)).json()) as {
      keys: { kid: string }[]
    }
    return keys.map(({ kid }) => kid)
  }
  type Key = { kid: string; alg?: string; state: string; successorSignsAt?: string }
  const keysOf = async (alg: string) =>
    (await did<Listed<Key>>(world, auditor, listKeyRing)).items.filter((one) => one.alg === alg)
  const [first] = await keysOf('RS256')
  t.is(first?.state, 'signing')
  t.regex(first?.successorSignsAt ?? '', /Z$/)

  const rotation = { purpose: 'signing', alg: 'RS256' }
  t.is(await kindOf(world, auditor, rotateKeyRing, rotation), 'forbidden')
  t.is(await kindOf(world, { ...owner, fresh: false }, rotateKeyRing, rotation), 'not-fresh')
  type Rotated = Listed<{ kid: string; isNew: boolean }>
  const { items: made } = await did<Rotated>(world, owner, rotateKeyRing, rotation)
  t.true(made[0]?.isNew)
  t.true((await published()).includes(made[0]?.kid ?? ''), 'published before this answers')
  t.false((await did<Rotated>(world, owner, rotateKeyRing, rotation)).items[0]?.isNew)

  await did(world, owner, rotateKeyRing, { ...rotation, atOnce: true })
  const signing = world.house.keys.signing.find(({ alg }) => alg === 'RS256')?.kid
  t.not(signing, first?.kid, 'another one signs')
  t.is(await kindOf(world, owner, revokeFromKeyRing, { kid: signing }), 'refused')
  t.is(await kindOf(world, owner, revokeFromKeyRing, { kid: 'nobody' }), 'unknown')
  await did(world, owner, revokeFromKeyRing, { kid: first?.kid })
  t.false((await published()).includes(first?.kid ?? ''))

  t.notRegex(JSON.stringify(await did(world, owner, listKeyRing)), /"(d|p|q|k|secret|sealed)":/)
  const { rows } = await world.house.store.auditSearch.search(
    { action: 'key.', actor: 'staff-1' },
    undefined,
    20,
  )
  t.deepEqual([...new Set(rows.map(({ action }) => action))].sort(), [
    'key.publish',
    'key.remove',
    'key.replace',
    'key.revoke',
  ])
  t.true(rows.every((row) => row.address === where.address && row.ref === where.ref))
})

test('messages are listed without what they say, tried again at once, and dropped', async (t) => {
  const world = await buildWorld(t)
  const { store, now } = world.house
  const at = Math.floor(now() / 1000)
  const mail = { to: 'mei@wang-family.example.tw', subject: '重設密碼', text: 'https://id/reset/1' }
  const id = await store.transaction((tables) => queueMail(tables, mail, { at }))
  for (const target of ['gone', 'gone', 'slow'])
    await store.outbox.put({
      kind: 'provisioning',
      target,
      payload: { receiver: target },
      createdAt: at,
    })
  const settled = () => store.outbox.list().then((rows) => rows.every(({ lastError }) => lastError))
  await eventually(settled, Boolean)

  const all: string[] = []
  let cursor: string | undefined
  do {
    const page: Listed<{ id: string }> = await did(world, auditor, listMessages, {
      limit: 3,
      ...(cursor ? { cursor } : {}),
    })
    t.notRegex(JSON.stringify(page), /reset|mei|wang-family/)
    all.push(...page.items.map((one) => one.id))
    cursor = page.next
  } while (cursor)
  t.is(new Set(all).size, 4)
  type Message = { id: string; to: string; attempts: number; state: string }
  const mails = await did<Listed<Message>>(world, auditor, listMessages, { kind: 'mail' })
  t.like(mails.items, [{ id, to: 'w•••.example.tw' }] as never)
  t.is((await did<Listed<Message>>(world, auditor, listMessages, { to: 'gone' })).items.length, 2)
  t.is(await kindOf(world, auditor, listMessages, { cursor: 'bm8' }), 'rejected')

  const taken = await eventually(() => store.outbox.take(id, { at, until: at + 60 }), Boolean)
  if (taken) await store.outbox.bury(taken, 'the mail server answered 550')
  t.like(await tasksOf(world.house, owner, at), [{ kind: 'messages-dead', count: 1 }])
  type Counted = Listed<{ kind: string; state: string; messages: number }>
  const counts = (await did<Counted>(world, auditor, countMessages)).items
  t.true(counts.some((one) => one.kind === 'mail' && one.state === 'dead' && one.messages === 1))

  t.is(await kindOf(world, auditor, retryOne, { id }), 'forbidden')
  t.is(await kindOf(world, owner, retryOne, { id: 'nobody' }), 'unknown')
  await did(world, owner, retryOne, { id })
  // The delivery is nudged: it does not wait for its next look.
  const tried = await eventually(
    () => store.outbox.find(id),
    (one) => (one?.attempts ?? 0) > 0,
  )
  t.is(tried?.state, 'waiting')
  t.true((await did<{ messages: number }>(world, owner, retryAll)).messages > 0)
  await did(world, owner, dropOne, { id })
  t.is(await kindOf(world, owner, dropOne, { id }), 'unknown')
  const { rows } = await store.auditSearch.search(
    { action: 'outbox.', actor: 'staff-1' },
    undefined,
    9,
  )
  t.deepEqual(rows.map(({ action }) => action).sort(), [
    'outbox.drop',
    'outbox.retry',
    'outbox.retry',
  ])
  t.notRegex(JSON.stringify(rows), /mei@|wang-family/)
})

test('the trail is searched with names, taken along harmlessly, and walked', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const app = await world.buildApp({ name: '課程平台' })
  const { sub } = await world.buildPerson()
  const event = { at: Math.floor(Date.parse('2026-11-20T23:30:00+08:00') / 1000), outcome: 'ok' }
  await store.audit.record({
    ...event,
    actor: sub,
    action: 'session.sign-in',
    target: `client:${app.clientId}`,
    details: { agent: '=HYPERLINK("https://evil.example","x")' },
  })
  await store.audit.record({
    ...event,
    actor: '=1+1',
    action: 'evil\r\nfake.line',
    target: '@SUM(A1)',
    outcome: '+ok',
  })
  type Event = { actor: { name?: string }; target?: { name?: string }; at: string; action: string }
  const found = await did<Listed<Event>>(world, auditor, listAudit, {
    actor: sub,
    since: '2026-11-20',
    until: '2026-11-20',
  })
  t.like(found.items[0], {
    actor: { name: '王小明' },
    target: { name: '課程平台' },
    at: '2026-11-20T15:30:00.000Z',
  })
  t.is(
    (await did<Listed<Event>>(world, auditor, listAudit, { actor: sub, until: '2026-11-19' })).items
      .length,
    0,
  )
  t.is(await kindOf(world, auditor, listAudit, { since: '2026-02-30' }), 'rejected')
  t.is(await kindOf(world, by([{ role: 'auditor', reach: 'county:ntpc' }]), listAudit), 'forbidden')

  const forged = writeCursor(['newest', event.at, 'a\0', 1])
  t.is(
    await kindOf(world, auditor, listAudit, { cursor: forged }),
    'rejected',
    'PostgreSQL: no NUL',
  )
  const newest = await did<Listed<Event>>(world, auditor, listAudit, { limit: 2 })
  const { cursor } = { cursor: newest.next }
  t.is(await kindOf(world, auditor, listAudit, { cursor }), 'done')
  t.is(await kindOf(world, auditor, listAudit, { cursor, order: 'oldest' }), 'rejected')
  const oldest = await did<Listed<Event>>(world, auditor, listAudit, { order: 'oldest' })
  t.deepEqual(oldest.items[0], (await did<Listed<Event>>(world, auditor, listAudit)).items.at(-1))

  let csv = ''
  for await (const part of await exportAudit(world.house, { ...auditor, at: event.at }, {}))
    csv += part
  const lines = csv.split('\r\n')
  t.is(lines.length - 2, (await store.auditSearch.search({}, undefined, 99)).rows.length)
  t.regex(csv, /,"evil fake\.line","'\+ok","'=1\+1","","'@SUM\(A1\)",/)
  t.notRegex(csv, /(^|,)"?[=+@-]/m)
  const exported = await did<Listed<Event>>(world, auditor, listAudit, { action: 'audit.export' })
  t.is(exported.items.length, 1)

  type Check = { state: string; events: number; broken: number; faults: { kind: string }[] }
  const walked = async () => {
    t.deepEqual(await did(world, auditor, verifyAuditTrail), { began: true })
    const isOver = ({ state }: Check) => state !== 'running'
    return eventually(() => did<Check>(world, auditor, readAuditCheck), isOver)
  }
  t.is((await did<Check>(world, auditor, readAuditCheck)).state, 'never')
  t.like(await walked(), { state: 'whole', broken: 0 })
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  const guard =
    store.where.engine === 'postgres'
      ? ['ALTER TABLE audit_event DISABLE TRIGGER USER']
      : ['DROP TRIGGER audit_event_no_update']
  for (const sql of guard) await knex.raw(sql)
  await knex('audit_event').where({ outcome: '+ok' }).update({ outcome: 'ok' })
  // So shortly after the last one the same question is not asked again.
  await store.leases.release('ask:audit-verify', `staff-1 ${Math.floor(world.house.now() / 1000)}`)
  await knex('lease').where('name', 'ask:audit-verify').delete()
  t.like(await walked(), { state: 'broken', broken: 1, faults: [{ kind: 'changed' }] as never })
  t.true(
    (await tasksOf(world.house, auditor, event.at)).some(({ kind }) => kind === 'audit-broken'),
  )
  t.true(world.log.some((line) => line.includes('the audit trail is broken')))

  // Who has it walked anew, or ends the process that walks, does not take the alarm away.
  await knex('lease').where('name', 'ask:audit-verify').delete()
  const asked = { ...world.house, background: { ...world.house.background, run: async () => true } }
  const again = await perform(asked, auditor, verifyAuditTrail, {})
  t.like(again, { kind: 'done', value: { began: true } })
  t.like(await did<Check>(world, auditor, readAuditCheck), { state: 'running', broken: 1 })
  const later = Math.floor(world.house.now() / 1000) + 3600
  t.true((await tasksOf(world.house, auditor, later)).some(({ kind }) => kind === 'audit-broken'))
})

test('statistics, tasks and the doctor go as far as a role does, and say no secret', async (t) => {
  const world = await buildWorld(t)
  const { store, now, config } = world.house
  const at = Math.floor(now() / 1000)
  const mine = await world.buildApp({ name: '我的服務' })
  const other = await world.buildApp({ name: '別人的服務' })
  const { sub } = await world.buildPerson()
  await store.clientOwners.add({ clientId: mine.clientId, accountId: sub, createdAt: at })
  const signIn = (clientId: string, connector: string, outcome = 'ok') =>
    store.audit.record({
      at,
      actor: sub,
      action: 'session.sign-in',
      target: `client:${clientId}`,
      outcome,
      details: { way: 'upstream', connector },
    })
  await signIn(mine.clientId, 'ntpc')
  await signIn(other.clientId, 'ntpc', 'refused')
  await signIn(other.clientId, 'kh')
  await openSignInCounting(store).run(new AbortController().signal)
  type Statistics = {
    all: object
    ways: object[]
    apps: { clientId: string; name?: string }[]
    days: object[]
    countedAt?: string
  }
  const statistics = (who: By, input = {}) =>
    did<Statistics>(world, who, readStatistics, { days: 7, ...input })
  t.like(await statistics(owner), { all: { ok: 2, failed: 1 }, days: { length: 7 } as never })
  t.like(await statistics(ofNtpc), { all: { ok: 1, failed: 1 } })
  t.like(await statistics(ofNtpc, { connector: 'kh' }), {
    all: { ok: 0, failed: 0 },
    ways: [],
    apps: [],
  })
  const appAdmin = by([{ role: 'client-admin', reach: 'own' }], { actor: sub })
  const ofMine = await statistics(appAdmin)
  t.deepEqual(ofMine.apps, [{ clientId: mine.clientId, name: '我的服務', ok: 1, failed: 0 }])
  t.is(await kindOf(world, owner, readStatistics, { days: 8 }), 'rejected')
  const ran = (outcome: string) => ({ job: 'ran:count-sign-ins', position: { outcome }, at })
  await store.jobPositions.put(ran('ok'))
  t.truthy((await statistics(owner)).countedAt)
  await store.jobPositions.put(ran('failed'))
  t.falsy((await statistics(owner)).countedAt, 'who fails to count does not say until when')
  t.is(await kindOf(world, by([{ role: 'reviewer', reach: '' }]), readStatistics), 'forbidden')

  const stopped = {
    at,
    actor: 'unknown',
    action: 'identity.reused',
    target: sub,
    outcome: 'stopped',
  }
  await store.audit.record({ ...stopped, details: { connector: 'ntpc', identity: '1' } })
  const kinds = async (who: By) => (await tasksOf(world.house, who, at)).map(({ kind }) => kind)
  t.deepEqual(await kinds(ofNtpc), ['logins-stopped'])
  t.deepEqual(await kinds(by([{ role: 'support', reach: 'county:kh' }])), [])
  await store.audit.record({
    ...stopped,
    actor: 'staff-1',
    action: 'identity.accept',
    outcome: 'ok',
  })
  t.deepEqual(await kinds(ofNtpc), [], 'somebody has settled it')
  t.deepEqual(
    (await firstStepsOf(world.house, owner, at)).filter((one) => !one.done).map((one) => one.step),
    ['colleague', 'mail', 'county'],
  )
  t.deepEqual(await firstStepsOf(world.house, auditor, at), [])

  t.is(await kindOf(world, ofNtpc, readSystem), 'forbidden')
  type Sentence = { key: string; params: object }
  type Made = {
    findings: { check: string; says: string; keys: { says: Sentence[] } }[]
    unchecked: string[]
    uncheckedKeys: Sentence[]
  }
  const { examination } = await did<{ examination: Made }>(world, auditor, examineSystem)
  const schema = examination.findings.find(({ check }) => check === 'schema')
  t.is(schema?.says, 'is of this release', 'English for robots, with its key')
  t.deepEqual(schema?.keys.says, [{ key: 'doctor.schema.current', params: {} }])
  t.is(examination.uncheckedKeys.length, examination.unchecked.length)
  const system = await did<{ version: string; examination?: object }>(world, auditor, readSystem)
  t.truthy(system.examination)
  t.regex(system.version, /^\d+\.\d+\.\d+$/)
  const said = JSON.stringify(system)
  t.notRegex(said, /postgres:\/\/|password":|"secret"/)
  const { engine } = config.database
  t.true(said.includes(engine))
})
