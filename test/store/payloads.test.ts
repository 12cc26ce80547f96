import test, { type ExecutionContext } from 'ava'
import type { Payloads, StoredPayload } from '#store/payloads.ts'
import { buildStore, engines } from '../helpers/database.ts'

const row = (id: string, more = {}) => ({
  id,
  model: 'AuthorizationCode',
  payload: { a: 1 },
  ...more,
})

type World = {
  payloads: Payloads
  /** The row alone, without what it stands on. */
  find: (id: string) => Promise<StoredPayload | undefined>
}

/** Each of these holds on both engines. */
function contract(title: string, story: (t: ExecutionContext, world: World) => Promise<void>) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, async (t) => {
      const { payloads } = await buildStore(t, engine)
      const find = async (wanted: string) => {
        const [found] = await payloads.find([wanted])
        if (!found) return undefined
        const { id, payload, consumedAt } = found
        return { id, payload, ...(consumedAt === undefined ? {} : { consumedAt }) }
      }
      await story(t, { payloads, find })
    })
  }
}

contract('what was saved is found, whole, until it is destroyed', async (t, { payloads, find }) => {
  const payload = { text: '教育雲', list: [1, null], nested: { deep: true } }
  await payloads.save([row('one', { payload })])
  t.deepEqual(await find('one'), { id: 'one', payload } as never)
  await payloads.destroy('one')
  t.is(await find('one'), undefined)
})

contract('of twenty who consume a row at once, one succeeds', async (t, { payloads, find }) => {
  await payloads.save([row('code')])
  const answers = await Promise.all(Array.from({ length: 20 }, () => payloads.consume('code', 5)))
  t.is(answers.filter(Boolean).length, 1)
  t.is((await find('code'))?.consumedAt, 5)
})

contract('a consumed row stays consumed when it is saved again', async (t, { payloads, find }) => {
  await payloads.save([row('code')])
  await payloads.consume('code', 5)
  await payloads.save([row('code', { payload: { a: 2 } })])
  t.is((await find('code'))?.consumedAt, 5)
  t.false(await payloads.consume('code', 6))
})

contract(
  'a row that is gone can be neither consumed nor replaced',
  async (t, { payloads, find }) => {
    t.false(await payloads.consume('never', 5))
    t.false(await payloads.replace(row('never')))
    await payloads.save([row('done')])
    await payloads.consume('done', 5)
    t.false(await payloads.replace(row('done')))
    t.is(await find('never'), undefined)
  },
)

contract('of two who claim one id, one gets it', async (t, { payloads }) => {
  const claims = await Promise.all([payloads.claim(row('jti')), payloads.claim(row('jti'))])
  t.deepEqual(claims.sort(), [false, true])
})

contract(
  'ending a grant ends what was issued under it, by model or altogether',
  async (t, { payloads, find }) => {
    await payloads.save([row('at', { model: 'AccessToken', grantId: 'g' })])
    await payloads.save([row('rt', { model: 'RefreshToken', grantId: 'g' })])
    await payloads.save([row('other', { model: 'RefreshToken', grantId: 'h' })])
    await payloads.destroyGrant('g', 'AccessToken')
    t.is(await find('at'), undefined)
    t.truthy(await find('rt'))
    await payloads.destroyGrant('g')
    t.is(await find('rt'), undefined)
    t.truthy(await find('other'))
  },
)

contract(
  'two who save one row at once each keep what they added',
  async (t, { payloads, find }) => {
    const session = (authorizations: object, more = {}) =>
      row('s', { model: 'Session', uid: 'u', payload: { authorizations, ...more } })
    await payloads.save([session({ a: { sid: '1' } })])
    await payloads.save([session({ b: { sid: '2' } }, { loginTs: 5 })])
    await payloads.save([session({ a: { sid: '1', grantId: 'g' } }, { loginTs: 6 })])
    t.deepEqual((await find('s'))?.payload, {
      authorizations: { a: { sid: '1', grantId: 'g' }, b: { sid: '2' } },
      loginTs: 6,
    })
    await payloads.save([row('s', { model: 'Session', payload: { loginTs: 7 } })])
    t.is(Object.keys((await find('s'))?.payload.authorizations as object).length, 2)
  },
)

contract(
  'a buried row is empty, ended once, and nobody saves over it',
  async (t, { payloads, find }) => {
    const session = row('s', { model: 'Session', uid: 'u', payload: { authorizations: { a: {} } } })
    await payloads.save([session])
    const ends = await Promise.all([payloads.bury('s', 9), payloads.bury('s', 9)])
    t.deepEqual(ends.sort(), [false, true])
    await payloads.save([session])
    t.deepEqual(await find('s'), { id: 's', payload: {}, consumedAt: 9 } as never)
    t.is(await payloads.findByUid('u'), undefined)
  },
)

contract('a row is read with what it stands on, in one statement', async (t, { payloads }) => {
  await payloads.save([
    row('grant', { model: 'Grant', grantId: 'g' }),
    row('session', { model: 'Session', uid: 'u' }),
    row('token', { model: 'AccessToken', grantId: 'g', grantKey: 'grant', sessionUid: 'u' }),
    row('bare', { model: 'AccessToken', grantKey: 'gone', sessionUid: 'gone' }),
    row('fifth'),
  ])
  const found = await payloads.find(['token', 'bare', 'never', 'fifth', 'session', 'grant'])
  t.deepEqual(found.map(({ id }) => id).sort(), ['bare', 'fifth', 'grant', 'session', 'token'])
  const token = found.find(({ id }) => id === 'token')
  t.is(token?.grant?.id, 'grant')
  t.is(token?.session?.id, 'session')
  const bare = found.find(({ id }) => id === 'bare')
  t.deepEqual([bare?.grant, bare?.session, bare?.account], [undefined, undefined, undefined])
})

contract('entries of two writers are joined key by key', async (t, { payloads, find }) => {
  const session = (authorizations: object) =>
    row('s', { model: 'Session', payload: { authorizations } })
  await payloads.save([session({ a: { sid: '1', grantId: 'g' } })])
  await payloads.save([session({ a: { sid: '1' }, b: { sid: '2' } })])
  t.deepEqual((await find('s'))?.payload.authorizations, {
    a: { sid: '1', grantId: 'g' },
    b: { sid: '2' },
  })
})

contract('a person’s sessions are hers, until they end or expire', async (t, { payloads }) => {
  const session = (id: string, more = {}) =>
    row(id, { model: 'Session', uid: id, accountId: 'a', expiresAt: 100, ...more })
  await payloads.save([session('one'), session('two'), session('theirs', { accountId: 'b' })])
  await payloads.save([session('over', { expiresAt: 10 }), row('code', { accountId: 'a' })])
  const ids = (list: StoredPayload[]) => list.map(({ id }) => id)
  t.deepEqual(ids(await payloads.sessionsOf('a', 10)), ['one', 'two'])
  t.true(await payloads.end('one', 11))
  t.false(await payloads.end('one', 12))
  await payloads.save([session('one')])
  t.deepEqual(ids(await payloads.lockSessionsOf('a', 10)), ['two'])
})

contract(
  'what was granted for a person, or answered by her, ends for her alone',
  async (t, { payloads, find }) => {
    const grant = (grantId: string, accountId: string) => [
      row(`grant ${grantId}`, { model: 'Grant', grantId, accountId }),
      row(`token ${grantId}`, { model: 'RefreshToken', grantId, accountId }),
    ]
    await payloads.save([...grant('g1', 'a'), ...grant('g2', 'b')])
    await payloads.destroyGrantsOf('a')
    t.is(await find('grant g1'), undefined)
    t.is(await find('token g1'), undefined)
    t.truthy(await find('token g2'))

    const answered = (id: string, accountId?: string) =>
      row(id, { model: 'Interaction', accountId })
    await payloads.save([answered('hers', 'a'), answered('his', 'b'), answered('nobody’s')])
    await payloads.save([answered('finished', 'a')])
    await payloads.consume('finished', 1)
    await payloads.destroyAnswersOf('a')
    t.is(await find('hers'), undefined)
    t.truthy(await find('his'))
    t.truthy(await find('nobody’s'))
    t.truthy(await find('finished'), 'the back button still finds its app')
  },
)
