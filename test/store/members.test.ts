/** What a member's own acts ask of the tables. */
import test, { type ExecutionContext } from 'ava'
import type { Store } from '#store/store.ts'
import { buildStore, engines } from '../helpers/database.ts'

/** Each of these holds on both engines. */
function contract(title: string, story: (t: ExecutionContext, store: Store) => Promise<void>) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, async (t) => story(t, await buildStore(t, engine)))
  }
}

const account = (id: string) => ({
  id,
  kind: 'person',
  status: 'active' as const,
  profile: { name: { value: '王小明', by: 'self', at: 1 } },
  createdAt: 1,
  updatedAt: 1,
})

const identity = (id: string, accountId: string) => ({
  id,
  accountId,
  connector: 'ntpc',
  issuer: 'https://ntpc.example',
  subject: id,
  openid2Ids: [],
  raw: {},
  createdAt: 1,
  readAt: 1,
})

const yes = (answers: boolean[]) => answers.filter(Boolean).length

contract(
  'of ten who close an account at once, one does; so of ten who reopen it',
  async (t, { accounts }) => {
    await accounts.create(account('a'))
    t.is(yes(await Promise.all(Array.from({ length: 10 }, () => accounts.close('a', 50)))), 1)
    t.like(await accounts.find('a'), { status: 'closed', closedAt: 50 })
    t.false(await accounts.reopen('a', 49, 60), 'another closing')
    t.is(yes(await Promise.all(Array.from({ length: 10 }, () => accounts.reopen('a', 50, 60)))), 1)
    const again = await accounts.find('a')
    t.is(again?.status, 'active')
    t.is(again?.closedAt, undefined)
  },
)

contract('closed accounts are listed from the oldest, and only those', async (t, { accounts }) => {
  for (const [id, at] of [
    ['late', 90],
    ['early', 10],
    ['later', 100],
  ] as const) {
    await accounts.create(account(id))
    await accounts.close(id, at)
  }
  await accounts.create(account('open'))
  t.deepEqual(await accounts.closedBefore(100, 10), ['early', 'late'])
  t.deepEqual(await accounts.closedBefore(100, 1), ['early'])
})

contract('of two who change one secret, the first does', async (t, { accounts, credentials }) => {
  await accounts.create(account('a'))
  const row = { id: 'c', accountId: 'a', type: 'password' as const, secret: 'old' }
  await credentials.create({ ...row, createdAt: 1, updatedAt: 1 })
  const changes = ['one', 'two', 'three'].map((to) => credentials.changeSecret('c', 'old', to, 2))
  t.is(yes(await Promise.all(changes)), 1)
  t.false(await credentials.changeSecret('c', 'old', 'four', 3))
})

contract(
  'an identity is unlinked by its own account only, and takes its schools along',
  async (t, store) => {
    await store.accounts.create(account('a'))
    await store.accounts.create(account('b'))
    await store.identities.link(identity('i', 'a'))
    const school = { identityId: 'i', accountId: 'a', schoolCode: '014569', role: 'teacher' }
    await store.affiliations.replace('i', [{ ...school, titles: [], classes: [], readAt: 1 }])
    t.false(await store.identities.unlink('i', 'b'))
    t.is((await store.identities.ofAccount('a')).length, 1)
    t.true(await store.identities.unlink('i', 'a'))
    t.false(await store.identities.unlink('i', 'a'))
    t.deepEqual(await store.affiliations.ofAccount('a'), [])
  },
)

contract(
  'a consent is listed with its time, and taken back once',
  async (t, { accounts, consents }) => {
    await accounts.create(account('a'))
    const granted = { scopes: ['profile'], claims: [], resources: {} }
    await consents.put('a', 'app', granted, 7)
    t.deepEqual(await consents.ofAccount('a'), [{ clientId: 'app', granted, at: 7 }])
    t.true(await consents.forget('a', 'app'))
    t.false(await consents.forget('a', 'app'))
  },
)

contract(
  'of mailed links the open one is found until it is used, expires or is replaced',
  async (t, { mailLinks }) => {
    const link = (id: string) => ({
      id,
      purpose: 'confirm-address' as const,
      subject: 'a',
      memo: id,
      createdAt: 1,
      expiresAt: 100,
    })
    await mailLinks.make(link('one'))
    await mailLinks.make(link('two'))
    t.is((await mailLinks.findOpen('a', 'confirm-address', 50))?.id, 'two')
    t.is(await mailLinks.findOpen('a', 'reset', 50), undefined)
    t.is(await mailLinks.findOpen('a', 'confirm-address', 100), undefined)
    await mailLinks.use('two', 'confirm-address', 60)
    t.is(await mailLinks.findOpen('a', 'confirm-address', 60), undefined)
  },
)

contract('what one app may do is ended, and nobody else’s grants', async (t, { payloads }) => {
  const grant = (id: string, accountId: string, clientId: string) => ({
    id,
    model: 'Grant',
    payload: {},
    grantId: id,
    accountId,
    clientId,
    expiresAt: 100,
  })
  const token = (id: string, grantId: string) => ({
    id,
    model: 'RefreshToken',
    payload: {},
    grantId,
    expiresAt: 100,
  })
  await payloads.save([grant('g1', 'a', 'app'), grant('g2', 'a', 'other'), grant('g3', 'b', 'app')])
  await payloads.save([token('t1', 'g1'), token('t2', 'g2'), token('t3', 'g3')])
  t.deepEqual(await payloads.clientsGranted('a', 50), ['app', 'other'])
  t.deepEqual(await payloads.clientsGranted('a', 100), [])
  await payloads.destroyGrantsTo('a', 'app')
  t.deepEqual((await payloads.find(['g1', 't1', 'g2', 't2'])).map(({ id }) => id).sort(), [
    'g2',
    't2',
  ])
  t.deepEqual((await payloads.find(['g3', 't3'])).map(({ id }) => id).sort(), ['g3', 't3'])
})

contract(
  'a person’s sign-ins are read page by page, each once, and nobody else’s',
  async (t, store) => {
    const event = { action: 'session.sign-in', outcome: 'ok' }
    for (const at of [5, 5, 5, 3, 9]) {
      await store.audit.record({ ...event, at, actor: 'a' })
      await store.audit.record({ ...event, at, actor: 'b' })
      await store.audit.record({ ...event, action: 'session.sign-out', at, actor: 'a' })
    }
    const seen = []
    for (let after: Parameters<typeof store.auditReads.signIns>[1]; ; ) {
      const page = await store.auditReads.signIns('a', after, 2)
      seen.push(...page)
      after = page.at(-1)
      if (page.length < 2) break
    }
    t.deepEqual(
      seen.map(({ at }) => at),
      [9, 5, 5, 5, 3],
    )
    t.is(new Set(seen.map(({ chain, seq }) => `${chain}.${seq}`)).size, 5)
    t.true(seen.every(({ actor, action }) => actor === 'a' && action === 'session.sign-in'))
  },
)

contract(
  'an account is erased once, when its time has come, and only while it is closed',
  async (t, store) => {
    await store.accounts.create(account('a'))
    t.deepEqual(await store.erasure.erase('a', 1000, 1000), [], 'open')
    await store.accounts.close('a', 50)
    t.deepEqual(await store.erasure.erase('a', 50, 1000), [], 'too early')
    const erased = await Promise.all([1, 2, 3].map(() => store.erasure.erase('a', 51, 1000)))
    t.deepEqual(erased.flat(), ['a'])
    const left = await store.accounts.find('a')
    t.deepEqual(left?.profile, {})
    t.is(left?.status, 'closed')
    t.deepEqual(await store.accounts.closedBefore(1e9, 10), [])
    t.false(await store.accounts.reopen('a', 50, 1001))
  },
)
