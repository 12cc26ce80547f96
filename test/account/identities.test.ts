import test from 'ava'
import { linkIdentity, listIdentities, unlinkIdentity } from '#account/identities.ts'
import { buildIdentity } from '../helpers/people.ts'
import { buildMember, type Her } from './member.ts'

const link = (her: Her, overrides = {}) =>
  linkIdentity(her.store, her.acting(), buildIdentity(overrides), her.ports)
const unlink = (her: Her, id: string) => unlinkIdentity(her.store, her.acting(), id, her.ports)
const idOf = async ({ store, id }: Her, at = 0) =>
  (await store.identities.ofAccount(id))[at]?.id ?? ''

test('a linked county brings her schools and she is told; unlinked, they go', async (t) => {
  const her = await buildMember(t)
  t.deepEqual(await link(her), { kind: 'linked', connector: 'ntpc' })
  t.is((await her.store.affiliations.ofAccount(her.id)).length, 1)
  const known = await her.store.identities.find('https://ntpc.sso.edu.tw', 'teacher1')
  t.is(known?.account.id, her.id)
  const [linked] = await her.mails()
  t.true(linked?.text.includes('新北市'))
  t.is((await her.store.accounts.find(her.id))?.profile.name?.value, '王小明', 'her own name stays')

  t.deepEqual(await unlink(her, await idOf(her)), { kind: 'unlinked', connector: 'ntpc' })
  t.deepEqual(await her.store.affiliations.ofAccount(her.id), [])
  t.is((await her.mails()).length, 1)
  t.deepEqual(await her.trail(), ['identity.unlink ok', 'identity.link ok'])
})

test('what somebody else signs in with is never taken from her, and what is hers is linked once', async (t) => {
  const hers = await buildMember(t)
  await link(hers)
  t.deepEqual(await link(hers), { kind: 'hers-already' })
  const his = await buildMember(t, { store: hers.store, account: 'chen@mail.edu.tw' })
  t.deepEqual(await link(his), { kind: 'taken' })
  t.deepEqual(await his.store.identities.ofAccount(his.id), [])
  t.deepEqual(await his.store.affiliations.ofAccount(his.id), [])
  t.is((await his.trail())[0], 'identity.link taken')
})

test('of two accounts that link one identity at once, one has it', async (t) => {
  const one = await buildMember(t)
  const two = await buildMember(t, { store: one.store, account: 'chen@mail.edu.tw' })
  const both = await Promise.all([link(one), link(two)])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['linked', 'taken'])
})

test('the last way in stays: also when two tabs take away one of two each at the same moment', async (t) => {
  const her = await buildMember(t, { hasPassword: false })
  await link(her)
  t.deepEqual(
    (await listIdentities(her.store, her.id, her.ports)).map(({ last }) => last),
    [true],
  )
  t.deepEqual(await unlink(her, await idOf(her)), { kind: 'last-way-in' })
  await link(her, { subject: 'second' })
  const ids = [await idOf(her), await idOf(her, 1)]
  const both = await Promise.all(ids.map((id) => unlink(her, id)))
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['last-way-in', 'unlinked'])
})

test('a password without a name to type is no way in', async (t) => {
  const her = await buildMember(t, { account: false })
  await link(her)
  t.deepEqual(await unlink(her, await idOf(her)), { kind: 'last-way-in' })
})

test('another member’s identity is not there for her', async (t) => {
  const her = await buildMember(t)
  await link(her)
  const his = await buildMember(t, { store: her.store, account: 'chen@mail.edu.tw' })
  t.deepEqual(await unlink(his, await idOf(her)), { kind: 'unknown' })
  t.is((await her.store.identities.ofAccount(her.id)).length, 1)
})
