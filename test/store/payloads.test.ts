import test from 'ava'
import { buildStore } from '../helpers/database.ts'

const row = (id: string, more = {}) => ({
  id,
  model: 'AuthorizationCode',
  payload: { a: 1 },
  ...more,
})

test('what was saved is found, whole, until it is destroyed', async (t) => {
  const { payloads } = await buildStore(t)
  const payload = { text: '教育雲', list: [1, null], nested: { deep: true } }
  await payloads.save(row('one', { payload }))
  t.deepEqual(await payloads.find('one'), { id: 'one', payload } as never)
  await payloads.destroy('one')
  t.is(await payloads.find('one'), undefined)
})

test('of twenty who consume a row at once, one succeeds', async (t) => {
  const { payloads } = await buildStore(t)
  await payloads.save(row('code'))
  const answers = await Promise.all(Array.from({ length: 20 }, () => payloads.consume('code', 5)))
  t.is(answers.filter(Boolean).length, 1)
  t.is((await payloads.find('code'))?.consumedAt, 5)
})

test('a consumed row stays consumed when it is saved again', async (t) => {
  const { payloads } = await buildStore(t)
  await payloads.save(row('code'))
  await payloads.consume('code', 5)
  await payloads.save(row('code', { payload: { a: 2 } }))
  t.is((await payloads.find('code'))?.consumedAt, 5)
  t.false(await payloads.consume('code', 6))
})

test('a row that is gone can be neither consumed nor replaced', async (t) => {
  const { payloads } = await buildStore(t)
  t.false(await payloads.consume('never', 5))
  t.false(await payloads.replace(row('never')))
  await payloads.save(row('done'))
  await payloads.consume('done', 5)
  t.false(await payloads.replace(row('done')))
  t.is(await payloads.find('never'), undefined)
})

test('of two who claim one id, one gets it', async (t) => {
  const { payloads } = await buildStore(t)
  const claims = await Promise.all([payloads.claim(row('jti')), payloads.claim(row('jti'))])
  t.deepEqual(claims.sort(), [false, true])
})

test('ending a grant ends what was issued under it, by model or altogether', async (t) => {
  const { payloads } = await buildStore(t)
  await payloads.save(row('at', { model: 'AccessToken', grantId: 'g' }))
  await payloads.save(row('rt', { model: 'RefreshToken', grantId: 'g' }))
  await payloads.save(row('other', { model: 'RefreshToken', grantId: 'h' }))
  await payloads.destroyGrant('g', 'AccessToken')
  t.is(await payloads.find('at'), undefined)
  t.truthy(await payloads.find('rt'))
  await payloads.destroyGrant('g')
  t.is(await payloads.find('rt'), undefined)
  t.truthy(await payloads.find('other'))
})

test('two who save one row at once each keep what they added', async (t) => {
  const { payloads } = await buildStore(t)
  const session = (authorizations: object, more = {}) =>
    row('s', { model: 'Session', uid: 'u', payload: { authorizations, ...more } })
  await payloads.saveJoining(session({ a: { sid: '1' } }), 'authorizations')
  await payloads.saveJoining(session({ b: { sid: '2' } }, { loginTs: 5 }), 'authorizations')
  await payloads.saveJoining(
    session({ a: { sid: '1', grantId: 'g' } }, { loginTs: 6 }),
    'authorizations',
  )
  t.deepEqual((await payloads.find('s'))?.payload, {
    authorizations: { a: { sid: '1', grantId: 'g' }, b: { sid: '2' } },
    loginTs: 6,
  })
  await payloads.saveJoining(row('s', { payload: { loginTs: 7 } }), 'authorizations')
  t.is(Object.keys((await payloads.find('s'))?.payload.authorizations as object).length, 2)
})

test('a buried row is empty, ended once, and nobody saves over it', async (t) => {
  const { payloads } = await buildStore(t)
  const session = row('s', { model: 'Session', uid: 'u', payload: { authorizations: { a: {} } } })
  await payloads.saveJoining(session, 'authorizations')
  const ends = await Promise.all([payloads.bury('s', 9), payloads.bury('s', 9)])
  t.deepEqual(ends.sort(), [false, true])
  await payloads.saveJoining(session, 'authorizations')
  t.deepEqual(await payloads.find('s'), { id: 's', payload: {}, consumedAt: 9 } as never)
  t.is(await payloads.findByUid('u'), undefined)
})
