import test, { type ExecutionContext } from 'ava'
import { closeAccount, reopenAccount } from '#account/closing.ts'
import { linkIdentity } from '#account/identities.ts'
import { openErasing } from '#jobs/erase-closed.ts'
import { openDatabase } from '#store/database.ts'
import { engines } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'
import { addSession, buildMember, type Her } from './member.ts'

const close = (her: Her, phrase = 'wang@mail.edu.tw') =>
  closeAccount(her.store, her.acting(), phrase, her.ports)
const erase = (her: Her) =>
  openErasing(her.store, her.ports.now, her.ports.graceSeconds).run(new AbortController().signal)
const reopen = (her: Her, closedAt: number) =>
  reopenAccount(
    her.store,
    her.acting(),
    { closedAt, by: { way: 'password', clientId: 'app' } },
    her.ports,
  )

test('a closed account has no session and no token left, and is hers to have back for a while', async (t) => {
  const her = await buildMember(t, { recovery: { value: 'w@example.com', confirmed: true } })
  const { store, id, clock } = her
  await addSession(store, id, 'this-session')
  t.deepEqual(await close(her, 'somebody else'), { kind: 'again', problem: 'account.close.wrong' })
  t.is((await store.accounts.find(id))?.status, 'active')
  t.deepEqual(await close(her, ' WANG@mail.edu.tw '), { kind: 'closed' })
  const closedAt = clock.at
  t.deepEqual(await store.payloads.sessionsOf(id, clock.at), [])
  t.deepEqual(await store.payloads.find(['token-this-session-app']), [])
  const mails = await her.mails()
  t.true(mails.some(({ to, text }) => to === 'w@example.com' && text.includes(her.ports.link)))

  clock.at += her.ports.graceSeconds - 1
  await erase(her)
  t.false(await reopen(her, closedAt - 1), 'an older proof')
  const both = await Promise.all([reopen(her, closedAt), reopen(her, closedAt)])
  t.deepEqual(both.sort(), [false, true])
  t.like(await store.accounts.find(id), {
    status: 'active',
    profile: { name: { value: '王小明' } },
  })
  t.is((await her.mails()).length, 2)
  t.deepEqual(await her.trail(), ['session.sign-in ok', 'account.reopen ok', 'account.close ok'])
  await erase(her)
  t.is((await store.accounts.find(id))?.status, 'active', 'who is back is not erased')
})

test('when the time is over it cannot be had back', async (t) => {
  const her = await buildMember(t)
  await close(her)
  const closedAt = her.clock.at
  her.clock.at += her.ports.graceSeconds
  t.false(await reopen(her, closedAt))
})

/** Every table that names an account, and how many rows each has of this one. */
async function rowsOf(t: ExecutionContext, { store, id }: Her) {
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  const sql =
    store.where.engine === 'sqlite'
      ? "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'account_id'"
      : "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'account_id'"
  const found = await knex.raw(sql)
  const names: string[] = (found.rows ?? found).map(({ name }: { name: string }) => name)
  const rows = await Promise.all(
    names.map(async (name) => {
      const [row] = await knex(name).where({ account_id: id }).count({ n: '*' })
      return [name, Number(row?.n)] as const
    }),
  )
  return new Map(rows)
}

/** A row of hers in every table an app owner and somebody of the staff leaves something in. */
async function fillStaffTables(t: ExecutionContext, { store, id: account_id, clock: { at } }: Her) {
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  const created = { account_id, created_at: at }
  const factor = { type: 'totp', label: 'App', secret: 'sealed', counter: 0 }
  await knex('second_factor').insert({ ...created, id: 'factor', ...factor })
  await knex('recovery_code').insert({ ...created, digest: 'd' })
  await knex('client_owner').insert({ ...created, client_id: 'app' })
  const request = { wanted: '{}', purpose: '課程', state: 'waiting' }
  await knex('client_request').insert({ ...created, id: 'request', ...request })
  const invitation = { email: 'w@example.com', roles: '[]', created_by: 'operator:test' }
  const expires = { expires_at: at + 60 }
  await knex('staff_invitation').insert({ ...created, id: 'i', ...invitation, ...expires })
  await knex('account_key').insert({ account_id, value: '王小明', kind: 'name' })
  await knex('account_keyed').insert({ account_id, digest: 'd' })
  const test = { id: 'test', connector: 'ntpc', result: 'sealed' }
  await knex('upstream_test').insert({ account_id, ...test, ...expires })
  const file = { id: 'import', file: 'people.csv', state: 'done', rules: '{}', total: 1 }
  const times = { created_at: at, updated_at: at, phase_at: at, ...expires }
  await knex('people_import').insert({ ...file, created_by: 'operator:test', ...times })
  const note = { import_id: 'import', row: 1, outcome: 'created', problems: '[]' }
  await knex('people_import_note').insert({ account_id, ...note })
}

for (const engine of engines)
  test(`${engine}: erased, nothing is left but that the account was there and what she agreed to`, async (t) => {
    const her = await buildMember(
      t,
      { recovery: { value: 'w@example.com', confirmed: true } },
      engine,
    )
    const { store, id, clock } = her
    const { at } = clock
    await linkIdentity(store, her.acting(), buildIdentity(), her.ports)
    await store.affiliationChoices.choose(id, 'app', '014569:teacher', at)
    await store.consents.put(id, 'app', { scopes: [], claims: [], resources: {} }, at)
    await store.pictures.put({
      accountId: id,
      type: 'image/webp',
      bytes: Buffer.from('x'),
      updatedAt: at,
    })
    await store.personalNumbers.put({
      accountId: id,
      type: 'national-id',
      digest: 'd',
      sealed: 's',
      createdAt: at,
    })
    const guardian = { name: '王媽媽', email: 'm@example.com', address: '192.0.2.7' }
    await store.guardians.put({ accountId: id, agreedAt: at, ...guardian })
    await store.applications.keepRules('rules', 'member', '{}', at)
    await store.applications.create({
      id: 'application',
      enrolment: 'member',
      rules: 'rules',
      state: 'done',
      device: 'd',
      accountId: id,
      draft: 'sealed',
      version: 1,
      createdAt: at,
      updatedAt: at,
      expiresAt: at,
    })
    await store.transaction((tables) =>
      tables.agreements.agree({
        accountId: id,
        terms: 'educloud',
        version: '2014-08-01',
        language: 'zh-TW',
        hash: 'h',
        agreedAt: at,
        address: '192.0.2.7',
      }),
    )
    await store.upstreamSessions.keep({ id: 'there', accountId: id, expiresAt: at })
    const offer = { id: 'offer', device: 'd', identity: 'sealed' }
    await store.linkOffers.keep({ ...offer, accountId: id, expiresAt: at })
    await addSession(store, id, 'this-session')
    await fillStaffTables(t, her)
    const before = await rowsOf(t, her)
    const empty = [...before].filter(([, n]) => n === 0).map(([name]) => name)
    t.deepEqual(empty, [], 'this test fills every table that names an account')

    await close(her)
    clock.at += her.ports.graceSeconds + 1
    await erase(her)
    const left = [...(await rowsOf(t, her))].filter(([, n]) => n > 0)
    t.deepEqual(left, [['agreement', 1]])
    t.like((await store.agreements.ofAccount(id))[0], { version: '2014-08-01', address: '' })
    t.like(await store.accounts.find(id), { status: 'closed', profile: {}, agreed: {} })
    const [event] = await store.auditReads.list({ limit: 1, action: 'account.erase' })
    t.like(event, { actor: 'system', target: id })
    t.is(await store.identifiers.find('email', 'wang@mail.edu.tw'), undefined, 'free for others')
  })

test('many are erased in one run, one after another', async (t) => {
  const first = await buildMember(t, { hasPassword: false })
  const { store, clock } = first
  const ids = Array.from({ length: 120 }, (_, i) => `account-${i}`)
  for (const id of ids) {
    const row = { id, kind: 'person', status: 'active' as const, profile: {} }
    await store.accounts.create({ ...row, createdAt: 1, updatedAt: 1 })
    await store.accounts.close(id, 10)
  }
  clock.at += first.ports.graceSeconds
  await erase(first)
  const events = await store.auditReads.list({ limit: 500, action: 'account.erase' })
  t.is(new Set(events.map(({ target }) => target)).size, ids.length)
  t.is((await store.accounts.find(first.id))?.status, 'active')
})
