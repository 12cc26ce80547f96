/** What staff could learn or do about people by a way nobody thought of. */
import test from 'ava'
import { putLink } from '#accounts/put-link.ts'
import { perform } from '#admin/operation.ts'
import {
  changePerson,
  getPerson,
  listPeople,
  merge,
  undoMerge,
  unlinkIdentity,
} from '#admin/operations/people.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { House } from '#http/house.ts'
import { sha256 } from '#lib/crypto.ts'
import { done, ofCounty, owner } from '../helpers/acting.ts'
import { arrive, buildIdentity } from '../helpers/people.ts'
import { buildWorld } from '../helpers/world.ts'

/** She comes by another county, too. */
const alsoComes = ({ store }: House, sub: string, more: Partial<UpstreamIdentity> = {}) =>
  store.transaction(async (tables) => {
    const account = await tables.accounts.lock(sub)
    const there = { connector: 'tyc', issuer: 'https://tyc.example', raw: {}, affiliations: [] }
    if (account) await putLink(tables, account, buildIdentity({ ...there, ...more }), { at: 5 })
  })

test('where a list goes on tells nothing of who stands there', async (t) => {
  const { house } = await buildWorld(t)
  const subs = [
    await arrive(house, { subject: 'a' }),
    await arrive(house, { subject: 'b' }),
    await arrive(house, { subject: 'c' }),
  ]
  await house.background.run('index-people')
  for (const input of [{ q: '王' }, { sort: 'updated' }]) {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const more = cursor === undefined ? {} : { cursor }
      const found = await done(house, owner, listPeople, { ...input, limit: 1, ...more })
      seen.push(...found.items.map(({ sub }) => sub))
      cursor = found.next
      for (const text of cursor === undefined ? [] : [cursor, ...cursor.split('.')]) {
        const plain = Buffer.from(text, 'base64url').toString()
        for (const secret of [...subs, '王', '小明']) t.false(plain.includes(secret))
      }
    } while (cursor !== undefined && seen.length < 9)
    t.deepEqual(seen.sort(), [...subs].sort(), 'and yet it goes on there')
  }
})

test('a masked number is not found by trying what its profile’s version is made of', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house)
  await done(house, owner, changePerson, { sub, phoneNumber: '0912345678' })
  const { version, profile } = await done(house, owner, getPerson, { sub })
  const guess = profile.map(({ claim, value, masked }) => [claim, masked ? '+886912345678' : value])
  t.is(guess.length, profile.length)
  t.not(version, sha256(JSON.stringify(guess.sort())))
  t.is((await done(house, owner, getPerson, { sub })).version, version)
  await done(house, owner, changePerson, { sub, version, phoneNumber: '0912345679' })
  const stale = await perform(house, owner, changePerson, { sub, version, nickname: '明' })
  t.is(stale.kind, 'conflict')
})

test('a county’s staff do not move another county’s login', async (t) => {
  const { house } = await buildWorld(t)
  const kept = await arrive(house, { subject: 'kept' })
  const merged = await arrive(house, { subject: 'merged' })
  await alsoComes(house, merged, { subject: 'far' })
  const joining = { sub: kept, other: merged, reason: 'why' }
  const near = ofCounty('ntpc')
  t.like(await perform(house, near, merge, joining), {
    kind: 'refused',
    why: 'people-merge-elsewhere',
  })
  t.is((await house.store.identities.ofAccount(merged)).length, 2)
  await done(house, owner, merge, joining)
})

test('who parts two accounts is told of the one beyond her reach as little as before', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  const sub = await arrive(house)
  const { sub: other } = await buildPerson()
  const joined = await done(house, owner, merge, { sub, other, reason: 'why' })
  const parting = { sub, merge: joined.merge, reason: 'why' }
  await house.store.accounts.reactivate(other, 5)
  const refused = await perform(house, ofCounty('ntpc'), undoMerge, parting)
  t.is(refused.kind, 'conflict')
  await house.store.accounts.suspend(other, 5)
  const parted = await perform(house, ofCounty('ntpc'), undoMerge, parting)
  t.is(parted.kind, 'done')
  t.false(JSON.stringify([refused, parted]).includes(other))
})

test('a telephone number somebody signs in with is no name to be typed', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house)
  await house.store.identifiers.take({
    type: 'phone',
    value: '+886912345678',
    accountId: sub,
    verifiedAt: 1,
  })
  await house.store.accounts.setProfile(sub, {}, 1)
  t.notRegex(JSON.stringify(await done(house, owner, getPerson, { sub })), /912345678/)
})

test('the last owner keeps a way in', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house)
  const role = { role: 'owner', reach: '', grantedAt: 1, grantedBy: 'operator:test' } as const
  await house.store.staffRoles.grant({ holder: sub, ...role })
  const [link] = await house.store.identities.ofAccount(sub)
  const input = { sub, identity: link?.id }
  t.like(await perform(house, { ...owner, actor: sub }, unlinkIdentity, input), {
    why: 'people-last-owner',
  })
  await alsoComes(house, sub, { subject: 'another' })
  t.is((await done(house, owner, unlinkIdentity, input)).waysLeft, 1)
})
