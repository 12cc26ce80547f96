/** What staff can do about people: within reach, upon whom they may, written down, and nothing else. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { z } from 'zod'
import { countedUnder } from '#accounts/sign-in-limits.ts'
import { type Operation, perform } from '#admin/operation.ts'
import {
  acceptIdentity,
  addOnePerson,
  changePerson,
  close,
  endPersonSessions,
  getPerson,
  listPeople,
  listPersonSignIns,
  merge,
  peopleOperations,
  reactivate,
  sendReset,
  suspend,
  undoMerge,
  unlinkIdentity,
  unlock,
  unmaskPerson,
} from '#admin/operations/people.ts'
import type { By } from '#admin/staff.ts'
import type { House } from '#http/house.ts'
import { acting, done, ofCounty, owner } from '../helpers/acting.ts'
import { signInWholly } from '../helpers/load.ts'
import { arrive, buildIdentity } from '../helpers/people.ts'
import { buildWorld } from '../helpers/world.ts'

const support = acting([{ role: 'support', reach: '' }])

const kindOf = async <I extends z.ZodType, O extends z.ZodType>(
  house: House,
  by: By,
  one: Operation<I, O>,
  input: unknown,
) => (await perform(house, by, one, input)).kind

const trailOf = async ({ store }: House, target: string) =>
  (await store.auditReads.list({ target, limit: 20 })).map(({ action, actor, details }) => ({
    action,
    actor,
    details,
  }))

test('nobody out of reach is told from nobody at all, by no operation, in answer or in work', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  const theirs = await arrive(house)
  const alone = (await buildPerson()).sub
  const [link] = await house.store.identities.ofAccount(theirs)
  const stranger = ofCounty('tyc')
  const more: Record<string, object> = {
    'people.suspend': { reason: 'why' },
    'people.reactivate': { reason: 'why' },
    'people.close': { reason: 'why' },
    'people.update': { name: '別人' },
    'people.merge': { other: randomUUID(), reason: 'why' },
    'people.unlinkIdentity': { identity: link?.id },
    'people.acceptIdentity': { identity: link?.id },
    'people.undoMerge': { merge: randomUUID(), reason: 'why' },
    'people.unmask': { field: `claims:${link?.id}`, reason: 'why' },
  }
  const before = JSON.stringify(await house.store.accounts.find(theirs))
  // It looks at how upstreams fare every few seconds, and has statements of its own.
  await house.upstreamHealth.close()
  for (const one of peopleOperations) {
    if (!one.path.includes('{sub}')) continue
    const answers = []
    for (const sub of [theirs, alone, randomUUID(), 'x']) {
      const sent = house.store.statements()
      const outcome = await perform(house, stranger, one, { ...more[one.id], sub })
      answers.push({ outcome, statements: house.store.statements() - sent })
    }
    const [first] = answers
    t.is(first?.outcome.kind, 'unknown', one.id)
    for (const answer of answers) t.deepEqual(answer, first, one.id)
  }
  t.is(JSON.stringify(await house.store.accounts.find(theirs)), before)
  const found = await done(house, stranger, listPeople, {})
  t.deepEqual(found, { items: [] })
  for (const q of ['王', 'teacher1', theirs, 'wang@mail.edu.tw', 'wang@apps.ntpc.edu.tw']) {
    t.deepEqual(await done(house, stranger, listPeople, { q }), { items: [] }, q)
  }
  t.deepEqual(await done(house, stranger, listPeople, { county: 'ntpc' }), { items: [] })
  t.is((await done(house, ofCounty('ntpc'), listPeople, { q: '王' })).items.length, 0, 'not yet')
  await house.background.run('index-people')
  t.is((await done(house, ofCounty('ntpc'), listPeople, { q: '小明' })).items[0]?.sub, theirs)
})

test('a county’s staff see of somebody what is their county’s, and nothing of the other one', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house)
  const { putLink } = await import('#accounts/put-link.ts')
  const second = buildIdentity({
    connector: 'tyc',
    issuer: 'https://tyc.example',
    subject: 'secret-there',
    raw: { sub: 'secret-there' },
    affiliations: [{ schoolCode: '034567', role: 'teacher', titles: [], classes: [] }],
  })
  await house.store.transaction(async (tables) => {
    const account = await tables.accounts.lock(sub)
    if (account) await putLink(tables, account, second, { at: 5 })
  })
  const near = await done(house, ofCounty('ntpc'), getPerson, { sub })
  t.notRegex(JSON.stringify(near), /tyc|secret-there|034567/)
  t.is(near.elsewhere, 1)
  const far = (await house.store.identities.ofAccount(sub)).find((one) => one.connector === 'tyc')
  const field = `claims:${far?.id}`
  const reason = 'why'
  t.is(await kindOf(house, ofCounty('ntpc'), unmaskPerson, { sub, field, reason }), 'rejected')
  const identity = far?.id
  t.is(await kindOf(house, ofCounty('ntpc'), unlinkIdentity, { sub, identity }), 'unknown')
  t.is((await done(house, support, getPerson, { sub })).identities.length, 2)
  const found = await done(house, ofCounty('ntpc'), listPeople, { q: 'secret-there' })
  t.deepEqual(found.items, [], 'the other county’s login finds her for that county only')
})

test('nothing that is typed is a pattern, a column or a statement', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  await buildPerson()
  for (const q of ['%', '_', "' OR 1=1 --", '\\', '{"a":1}']) {
    const { items } = await done(house, owner, listPeople, { q })
    t.deepEqual(items, [], JSON.stringify(q))
  }
  const refused = [
    { sort: 'profile' },
    { sort: 'created; DROP TABLE account' },
    { sort: 'match' },
    { status: "active' OR 1=1" },
    { school: "1' OR 1=1" },
    { county: '%' },
    { cursor: 'nonsense' },
    { cursor: Buffer.from('["updated","x","y"]').toString('base64url') },
    { cursor: Buffer.from('["match","a","b","c"]').toString('base64url') },
    { cursor: Buffer.from('["updated",1,"\\u0000"]').toString('base64url') },
    { q: 'x'.repeat(301) },
    { q: '王\u0000' },
    { q: '\ud800' },
    { limit: 100_000 },
    { reach: 'everything' },
  ]
  for (const input of refused) {
    t.is(await kindOf(house, owner, listPeople, input), 'rejected', JSON.stringify(input))
  }
  t.is(await kindOf(house, owner, getPerson, { sub: "' OR 1=1 --" }), 'rejected')
  t.is((await done(house, owner, listPeople, {})).items.length, 1)
})

test('whoever has a role is looked after by those who give roles', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  const boss = await buildPerson({ account: 'boss@mail.edu.tw', name: '陳管理' })
  await house.store.staffRoles.grant({
    holder: boss.sub,
    role: 'owner',
    reach: '',
    grantedAt: 1,
    grantedBy: 'operator:test',
  })
  const { sub } = boss
  const reason = 'why'
  for (const [one, input] of [
    [suspend, { reason }],
    [close, { reason }],
    [sendReset, {}],
    [unlock, {}],
    [endPersonSessions, {}],
    [changePerson, { name: '別人' }],
    [unmaskPerson, { field: 'profile:phone_number', reason }],
  ] as [Operation, object][]) {
    const outcome = await perform(house, support, one, { sub, ...input })
    t.deepEqual(outcome, { kind: 'refused', why: 'people-staff' }, one.id)
  }
  t.is((await house.store.outbox.list()).length, 0)
  t.like(await done(house, support, getPerson, { sub }), { staff: true, roles: undefined })
  // Nobody is left to run the system: not even another owner's token does it.
  t.like(await perform(house, owner, suspend, { sub, reason }), { why: 'people-last-owner' })
  t.like(await perform(house, { ...owner, actor: sub }, suspend, { sub, reason }), {
    why: 'people-self',
  })
  const other = await buildPerson({ account: 'chen@mail.edu.tw', name: '陳' })
  const both = { sub: other.sub, other: sub, reason }
  t.like(await perform(house, owner, merge, both), { why: 'people-merge-staff' })
  t.is((await house.store.accounts.find(sub))?.status, 'active')
})

test('a suspended person is out of everything, and what raced with it does not come back', async (t) => {
  const world = await buildWorld(t, { limits: { clients: { requests_per_second: 1000 } } })
  const { house } = world
  const person = await world.buildPerson()
  const rp = await world.buildApp({ firstParty: false })
  const first = await signInWholly({ rp }, person)
  const reason = 'stolen\r\n{"level":"fatal"}\u001b[31m\u202e'
  const { sub } = person
  const race = await Promise.allSettled([
    signInWholly({ rp }, person),
    signInWholly({ rp }, person),
    done(house, support, suspend, { sub, reason }),
    signInWholly({ rp }, person),
  ])
  t.is(race[2]?.status, 'fulfilled')
  t.is((await rp.get('/me', first.accessToken)).status, 401)
  for (const one of race) {
    if (one.status !== 'fulfilled' || !('accessToken' in one.value)) continue
    t.is((await rp.get('/me', one.value.accessToken)).status, 401)
  }
  t.is((await perform(house, support, suspend, { sub, reason })).kind, 'conflict')
  await done(house, support, reactivate, { sub, reason: 'found again' })
  const { sessions, apps, status } = await done(house, support, getPerson, { sub })
  t.deepEqual({ sessions, status }, { sessions: [], status: 'active' })
  t.true(apps.every(({ active }: { active: boolean }) => !active))
  const refreshed = await rp.token({
    grant_type: 'refresh_token',
    refresh_token: first.refreshToken,
  })
  t.is(refreshed.status, 400)
  await signInWholly({ rp }, person)
  const trail = await trailOf(house, sub)
  const told = trail.find(({ action }) => action === 'account.suspend')
  t.is(told?.actor, support.actor)
  t.is(told?.details.reason, 'stolen {"level":"fatal"} [31m')
  for (const line of world.log) t.false(line.includes('stolen'))
})

test('staff say what they vouch for, and nothing that is not theirs to say', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house)
  const { version } = await done(house, support, getPerson, { sub })
  for (const more of [
    { status: 'closed' },
    { kind: 'teacher' },
    { id: 'x' },
    { email: 'new@mail.edu.tw' },
    { profile: {} },
    { preferred_username: 'root' },
    { agreed: '{}' },
  ]) {
    const outcome = await perform(house, support, changePerson, { sub, name: '新名', ...more })
    t.is(outcome.kind, 'rejected', JSON.stringify(more))
  }
  const wrong = await perform(house, support, changePerson, {
    sub,
    name: '<script>',
    phoneNumber: '12',
    gender: 'x',
  })
  t.like(wrong, { kind: 'rejected' })
  t.is(wrong.kind === 'rejected' && wrong.problems.length, 3)
  const change = { sub, version, name: '王大明', phoneNumber: '0912-345-678' }
  t.deepEqual(await done(house, support, changePerson, change), {
    changed: ['name', 'phone_number'],
  })
  t.is(await kindOf(house, support, changePerson, change), 'conflict', 'it was changed since')
  const account = await house.store.accounts.find(sub)
  t.like(account?.profile.name, { value: '王大明', by: 'staff' })
  t.is((await done(house, support, listPeople, { q: '大明' })).items[0]?.sub, sub, 'at once')
  // Her county says what it said: hers is what staff say.
  await arrive(house, { raw: { sub: 'teacher1', again: true } })
  t.is((await house.store.accounts.find(sub))?.profile.name?.value, '王大明')
  t.notRegex(JSON.stringify(await trailOf(house, sub)), /王大明|0912|886912/)
})

test('what is personal is masked, and shown for a reason that is written down', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house, { raw: { sub: 'teacher1', mail: 'private@mail.example' } })
  await done(house, support, changePerson, { sub, phoneNumber: '0912345678' })
  await house.store.recoveryAddresses.put({
    accountId: sub,
    value: 'home@mail.example',
    createdAt: 1,
  })
  const shown = await done(house, support, getPerson, { sub })
  t.notRegex(JSON.stringify(shown), /912345678|home@|private@/)
  t.is(shown.recovery?.address, 'h•••@mail.example')
  const [link] = shown.identities
  const read = async (field: string, by = support) =>
    (await done(house, by, unmaskPerson, { sub, field, reason: 'she called' })).value
  t.regex(await read('profile:phone_number'), /912345678/)
  t.is(await read('recovery:'), 'home@mail.example')
  t.regex(await read(`claims:${link?.id}`), /private@mail\.example/)
  const wrong = ['profile:name', 'profile:__proto__', 'guardian:', 'constructor:', 'number:none']
  for (const field of wrong) {
    const outcome = await perform(house, support, unmaskPerson, { sub, field, reason: 'why' })
    t.is(outcome.kind, 'rejected', field)
  }
  for (const reason of ['', '   ', '\u202e\n']) {
    const input = { sub, field: 'recovery:', reason }
    t.is(await kindOf(house, support, unmaskPerson, input), 'rejected', JSON.stringify(reason))
  }
  const stale = { ...support, fresh: false }
  const again = { sub, field: 'recovery:', reason: 'why' }
  t.is(await kindOf(house, stale, unmaskPerson, again), 'not-fresh')
  const auditor = acting([{ role: 'auditor', reach: '' }])
  t.is(await kindOf(house, auditor, unmaskPerson, again), 'forbidden')
  const told = (await trailOf(house, sub)).filter(({ action }) => action === 'account.unmask')
  t.deepEqual(
    told.map(({ details }) => details),
    [`claims:${link?.id}`, 'recovery:', 'profile:phone_number'].map((field) => ({
      field,
      reason: 'she called',
    })),
  )
  t.notRegex(JSON.stringify(told), /home@|912345678/)
})

test('a person who is added is found at once, and comes in by the link or the password', async (t) => {
  const world = await buildWorld(t)
  const { house } = world
  const made = await done(house, support, addOnePerson, { account: 'Lin', name: '林美玲' })
  t.is(made.password?.length, 20)
  t.is((await done(house, support, listPeople, { q: '美玲' })).items[0]?.sub, made.sub)
  const wanted = { account: 'wu@mail.edu.tw', name: '吳', recovery: 'Wu@mail.example' }
  const mailed = await done(house, support, addOnePerson, wanted)
  t.is(mailed.to, 'w•••@mail.example')
  t.is(mailed.password, undefined)
  t.is((await house.store.outbox.list()).length, 1)
  const taken = await perform(house, support, addOnePerson, { account: 'LIN', name: '林' })
  t.like(taken, { kind: 'rejected', problems: [{ field: 'account', code: 'people-taken' }] })
  const bad = await perform(house, support, addOnePerson, {
    account: 'a b',
    name: '\u202e',
    recovery: 'nowhere',
  })
  t.is(bad.kind, 'rejected')
  t.like(await perform(house, ofCounty('ntpc'), addOnePerson, wanted), { kind: 'refused' })
  const { sub } = mailed
  t.is((await done(house, support, sendReset, { sub })).to, 'w•••@mail.example')
  const nowhere = await arrive(house)
  t.like(await perform(house, support, sendReset, { sub: nowhere }), { why: 'people-no-address' })
  await done(house, support, close, { sub, reason: 'she asked for it' })
  t.is((await house.store.accounts.find(sub))?.status, 'closed')
  t.is(await kindOf(house, support, sendReset, { sub }), 'conflict')
})

test('who typed her password wrong too often tries again as soon as staff say so', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  const { sub, account } = await buildPerson()
  const { signIn } = house.limits
  const from = (device?: string) => ({
    name: account,
    source: '192.0.2.1',
    sourceFailures: 1_000,
    ...(device ? { device } : {}),
  })
  for (const device of [undefined, 'her own browser']) {
    for (let i = 0; i < 5; i++) {
      const begun = await signIn.begin(from(device))
      if (begun.kind === 'begun') await begun.wrong()
    }
    t.is((await signIn.begin(from(device))).kind, 'wait')
  }
  const { lifted } = await done(house, support, unlock, { sub })
  t.true(lifted >= 2, `${lifted}`)
  for (const device of [undefined, 'her own browser']) {
    t.is((await signIn.begin(from(device))).kind, 'begun', device)
  }
  t.is(await house.limits.counters.forget(house.store, countedUnder('somebody else')), 0)
})

test('two accounts of one person are joined and parted by staff who reach both', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  const kept = (await buildPerson()).sub
  const merged = await arrive(house)
  const both = { sub: kept, other: merged, reason: 'she showed both' }
  t.is(await kindOf(house, ofCounty('ntpc'), merge, both), 'unknown', 'one is beyond reach')
  t.is(await kindOf(house, owner, merge, { ...both, other: kept }), 'rejected')
  const race = await Promise.all([
    perform(house, owner, merge, both),
    perform(house, owner, merge, { ...both, sub: merged, other: kept }),
  ])
  t.is(race.filter(({ kind }) => kind === 'done').length, 1, 'of two who join at once, one does')
  const stays = race[0]?.kind === 'done' ? kept : merged
  const goes = stays === kept ? merged : kept
  t.like(await perform(house, owner, reactivate, { sub: goes, reason: 'why' }), {
    why: 'people-merged',
  })
  const { merges, identities, identifiers } = await done(house, owner, getPerson, { sub: stays })
  t.is(identities.length + identifiers.length, 2)
  t.is((await house.store.outbox.list()).length, 1, 'told at her address')
  const parting = { sub: stays, merge: merges[0]?.id, reason: 'it was her sister' }
  t.is(await kindOf(house, owner, undoMerge, { ...parting, sub: goes }), 'unknown')
  t.is(await kindOf(house, ofCounty('tyc'), undoMerge, parting), 'unknown')
  await done(house, owner, undoMerge, parting)
  t.is((await house.store.accounts.find(goes))?.status, 'active')
  t.is(await kindOf(house, owner, undoMerge, parting), 'conflict')
  const actions = (await trailOf(house, stays)).map(({ action }) => action)
  t.deepEqual(actions.slice(0, 2), ['account.merge-undo', 'account.merge'])
})

test('staff pass by a second factor only where they say so, and it is written down', async (t) => {
  const { house, buildPerson } = await buildWorld(t)
  const { sub } = await buildPerson()
  const { sub: other } = await buildPerson({ account: 'guarded@mail.edu.tw' })
  const factor = { id: randomUUID(), type: 'totp' as const, label: '手機', secret: 's', counter: 0 }
  await house.store.secondFactors.add({ ...factor, accountId: other, createdAt: 1 })
  const both = { sub, other, reason: 'she came in person' }
  const problems = [{ field: 'passFactor', code: 'people-merge-factor' }]
  t.like(await perform(house, support, merge, both), { kind: 'rejected', problems })
  t.is((await house.store.accounts.find(other))?.status, 'active')
  await done(house, support, merge, { ...both, passFactor: true })
  for (const target of [sub, other]) {
    const [told] = await trailOf(house, target)
    t.like(told, { action: 'account.merge', details: { passedFactors: ['totp'] } })
  }
  const { sub: plain } = await buildPerson({ account: 'plain@mail.edu.tw' })
  await done(house, support, merge, { ...both, other: plain, passFactor: true })
  const [told] = await trailOf(house, plain)
  t.is(told?.details.passedFactors, undefined, 'there was none')
  // Whoever has a role is not joined away, whatever is ticked.
  const { sub: boss } = await buildPerson({ account: 'boss@mail.edu.tw' })
  await house.store.staffRoles.grant({
    holder: boss,
    role: 'auditor',
    reach: '',
    grantedAt: 1,
    grantedBy: 'operator:test',
  })
  const away = { ...both, other: boss, passFactor: true }
  t.like(await perform(house, owner, merge, away), { why: 'people-merge-staff' })
})

test('a login that is somebody else’s now is let in again, or taken away', async (t) => {
  const { house } = await buildWorld(t)
  const sub = await arrive(house, { fingerprint: 'kept-as-a-hash', unread: ['eduinfo'] })
  const by = ofCounty('ntpc')
  const shown = await done(house, by, getPerson, { sub })
  const [link] = shown.identities
  const identity = link?.id ?? ''
  t.like(link, { county: 'ntpc', subject: 'teacher1', unread: ['eduinfo'], fingerprint: true })
  t.notRegex(JSON.stringify(shown), /kept-as-a-hash/)
  await done(house, by, acceptIdentity, { sub, identity })
  t.is((await house.store.identities.get(identity))?.fingerprint, undefined)
  t.is((await done(house, by, listPersonSignIns, { sub })).items[0]?.county, 'ntpc')
  t.deepEqual(await done(house, by, unlinkIdentity, { sub, identity }), { waysLeft: 0 })
  t.is(await kindOf(house, by, getPerson, { sub }), 'unknown', 'she is no longer of that county')
})
