/**
 * Pre-hijacking and its kin (Sudhodanan and Paverd 2022): who once had a hand on an account keeps none of what he left
 * there when its member takes the way he came by away from him.
 */
import test, { type ExecutionContext } from 'ava'
import { closeAccount, reopenAccount } from '#account/closing.ts'
import { askAddressChange, confirmAddress, findWaiting } from '#account/email.ts'
import { linkIdentity, listIdentities, unlinkIdentity } from '#account/identities.ts'
import { endOtherSessions, endSession } from '#account/sessions.ts'
import { signInFederated } from '#accounts/federated.ts'
import { openErasing } from '#jobs/erase-closed.ts'
import { addSession, buildMember, type Her } from '../account/member.ts'
import { engines } from '../helpers/database.ts'
import { buildTown, field, rulesOf, visitor } from '../helpers/enrolment-town.ts'
import { buildIdentity } from '../helpers/people.ts'

/** Each of these holds on both engines. */
function story(
  title: string,
  tell: (t: ExecutionContext, build: (built?: Built) => Promise<Her>) => Promise<void>,
) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, (t) => tell(t, (built) => buildMember(t, built, engine)))
  }
}
type Built = Parameters<typeof buildMember>[1]

const link = (her: Her, overrides = {}) =>
  linkIdentity(her.store, her.acting(), buildIdentity(overrides), her.ports)
const unlink = async (her: Her, at = 0) => {
  const [...identities] = await her.store.identities.ofAccount(her.id)
  return unlinkIdentity(her.store, her.acting(), identities[at]?.id ?? '', her.ports)
}
const profileOf = async ({ store, id }: Her) => (await store.accounts.find(id))?.profile ?? {}
const ask = (her: Her, address: string, sessionUid = 'this-session') =>
  askAddressChange(
    her.store,
    { ...her.acting(), sessionUid },
    { address, again: address },
    her.ports,
  )
const tokenIn = (text = '') => /confirm\/([\w-]{43})/.exec(text)?.[1] ?? ''
const waits = async (her: Her) => (await findWaiting(her.store, her.acting(), her.ports))?.address

story('who came in by a county is out when it is unlinked, with all he began', async (t, build) => {
  const her = await build()
  const { store, id } = her
  await link(her)
  await addSession(store, id, 'this-session')
  await addSession(store, id, 'his-session')
  await store.payloads.save([
    {
      id: 'his-answer',
      model: 'Interaction',
      accountId: id,
      payload: { result: { login: { accountId: id } } },
      expiresAt: 9_000_000,
    },
  ])
  await ask(her, 'his@example.com', 'his-session')
  t.deepEqual(await unlink(her), { kind: 'unlinked', connector: 'ntpc' })
  const left = await store.payloads.sessionsOf(id, her.clock.at)
  t.deepEqual(
    left.map(({ payload }) => payload.uid),
    ['this-session'],
  )
  const tokens = ['token-this-session-app', 'token-his-session-app', 'his-answer']
  t.deepEqual(await store.payloads.find(tokens), [])
  t.is(await waits(her), undefined)
  const [event] = await store.auditReads.list({ limit: 1, action: 'identity.unlink' })
  t.deepEqual(event?.details, { connector: 'ntpc', sessionsEnded: 1 })
})

story(
  'what a county vouched for is vouched for by nobody once it is unlinked',
  async (t, build) => {
    const her = await build()
    const verified = { email: 'his@ntpc.example', emailVerified: true, nickname: '雅雯' }
    await link(her, { profile: { name: '林雅雯', ...verified } })
    t.like(await profileOf(her), {
      name: { value: '王小明', by: 'self' },
      nickname: { value: '雅雯', by: 'ntpc' },
      email: { value: 'his@ntpc.example', verified: true },
    })
    await unlink(her)
    const after = await profileOf(her)
    t.like(after.nickname, { value: '雅雯', by: 'self' }, 'hers to change')
    t.like(after.email, { value: 'wang@mail.edu.tw', verified: true }, 'the address that is hers')
  },
)

story('one of two accounts at a county goes on vouching', async (t, build) => {
  const her = await build()
  await link(her, { profile: { nickname: '雅雯' } })
  await link(her, { subject: 'second', profile: { nickname: '雅雯' } })
  await unlink(her)
  t.like(await profileOf(her), { nickname: { by: 'ntpc' } })
})

story(
  'an address asked for in a session that she ends is not to be had by its link',
  async (t, build) => {
    const her = await build({ recovery: { value: 'old@example.com', confirmed: true } })
    const { store, id } = her
    for (const uid of ['this-session', 'his-session']) await addSession(store, id, uid)
    await ask(her, 'his@example.com', 'his-session')
    const [letter] = await her.mails()
    await endOtherSessions(store, her.acting(), her.ports)
    t.is(await waits(her), undefined)
    const around = { at: her.clock.at, where: {} }
    const late = await confirmAddress(store, tokenIn(letter?.text), around, her.ports)
    t.is(late.kind, 'unknown')
    t.is((await store.recoveryAddresses.find(id))?.value, 'old@example.com')

    her.clock.at += 200
    await ask(her, 'hers@example.com')
    await addSession(store, id, 'third-session')
    await endOtherSessions(store, her.acting(), her.ports)
    t.is(await waits(her), 'hers@example.com', 'what she asked for here waits on')
    await addSession(store, id, 'fourth-session')
    await endSession(store, her.acting(), 'fourth-session', her.ports)
    t.is(await waits(her), 'hers@example.com')
    await endSession(store, her.acting(), 'this-session', her.ports)
    t.is(await waits(her), undefined)
  },
)

story('also when his session has ended by itself', async (t, build) => {
  const her = await build()
  await ask(her, 'his@example.com', 'his-session')
  await endOtherSessions(her.store, her.acting(), her.ports)
  t.is(await waits(her), undefined)
})

story('an address put in where there was none is told to those she has', async (t, build) => {
  const her = await build()
  await ask(her, 'his@example.com')
  const [letter] = await her.mails()
  await confirmAddress(her.store, tokenIn(letter?.text), { at: her.clock.at, where: {} }, her.ports)
  const told = await her.mails()
  t.deepEqual(
    told.map(({ to }) => to),
    ['wang@mail.edu.tw'],
  )
  t.false(told[0]?.text.includes('his@example.com'))
})

story(
  'a county that is connected no more is no way in: the last one that works stays',
  async (t, build) => {
    const her = await build({ hasPassword: false })
    await link(her, { connector: 'gone', issuer: 'https://gone.example' })
    her.clock.at++
    await link(her)
    t.deepEqual(
      (await listIdentities(her.store, her.id, her.ports)).map(({ connector, last }) => [
        connector,
        last,
      ]),
      [
        ['gone', false],
        ['ntpc', true],
      ],
    )
    t.deepEqual(await unlink(her, 1), { kind: 'last-way-in' })
    t.like(await unlink(her, 0), { kind: 'unlinked' })
  },
)

story(
  'a county’s word that arrives after the account was closed or stopped changes nothing',
  async (t, build) => {
    const her = await build()
    await link(her)
    const { store, id } = her
    const before = await profileOf(her)
    // Between her being found and what the county says being written, another tab closes the account.
    const { transaction } = store
    store.transaction = async (work) => {
      store.transaction = transaction
      await store.accounts.close(id, her.clock.at)
      return transaction(work)
    }
    const said = buildIdentity({ profile: { name: '別人', nickname: '新' } })
    const signIn = await signInFederated(store, said, her.ports.now, { clientId: 'app' })
    t.like(signIn, { kind: 'barred', status: 'closed' })
    t.deepEqual(await profileOf(her), before)
  },
)

story(
  'a county unlinked while somebody is on her way back from it opens the account no more',
  async (t, build) => {
    const her = await build()
    const { store, id } = her
    for (const said of [{}, { profile: { nickname: '新' } }]) {
      await link(her)
      const { find } = store.identities
      store.identities.find = async (...which) => {
        store.identities.find = find
        const found = await find(...which)
        await unlink(her)
        return found
      }
      const signIn = await signInFederated(
        store,
        buildIdentity(said),
        her.ports.now,
        { clientId: 'app' },
        { newcomers: 'tell' },
      )
      t.deepEqual(signIn, { kind: 'unknown' })
      t.deepEqual(await store.affiliations.ofAccount(id), [])
    }
  },
)

story(
  'erased or hers again, never half: whichever of two processes comes first',
  async (t, build) => {
    const her = await build({ recovery: { value: 'w@example.com', confirmed: true } })
    const { store, id, ports } = her
    for (let i = 0; i < 5; i++) {
      const closedAt = her.clock.at
      await closeAccount(store, her.acting(), 'wang@mail.edu.tw', ports)
      // The clock of the process that erases is ahead.
      const acting = { ...her.acting(), at: closedAt + ports.graceSeconds - 1 }
      const ahead = () => (closedAt + ports.graceSeconds + 1) * 1000
      const erasing = openErasing(store, ahead, ports.graceSeconds)
      const [back] = await Promise.all([
        reopenAccount(store, acting, { closedAt, by: { way: 'password', clientId: 'app' } }, ports),
        erasing.run(new AbortController().signal),
      ])
      const account = await store.accounts.find(id)
      const names = await store.identifiers.ofAccount(id)
      const kept = await store.recoveryAddresses.find(id)
      if (!back) {
        t.like(account, { status: 'closed', profile: {} })
        t.deepEqual([names, kept], [[], undefined])
        return
      }
      t.like(account, { status: 'active', profile: { name: { value: '王小明' } } })
      t.is(names.length, 1)
      t.is(kept?.value, 'w@example.com')
      her.clock.at = acting.at + 1
    }
  },
)

test('who becomes more keeps the address she has until the new one has shown to be hers', async (t) => {
  const rules = rulesOf({
    id: 'upgrade',
    entry: { member: {} },
    steps: [{ id: 'form', type: 'form', fields: [field('backup', 'email')] }],
    creates: { recovery_address: 'backup' },
  })
  const town = await buildTown(t, [rules])
  const { store, engine } = town
  const { id } = await buildMember(t, {
    store,
    recovery: { value: 'old@example.com', confirmed: true },
  })
  const upgrade = (backup: string) =>
    engine.start(
      'upgrade',
      { fields: { backup, backup_again: backup }, files: {} },
      visitor('her computer'),
      { accountId: id },
    )
  t.is((await upgrade('new@example.com'))?.kind, 'next')
  t.like(await store.recoveryAddresses.find(id), { value: 'old@example.com' })
  t.deepEqual(
    (await town.mails()).map(({ to }) => to),
    ['new@example.com'],
  )
  t.is((await upgrade('old@example.com'))?.kind, 'next')
  t.truthy((await store.recoveryAddresses.find(id))?.confirmedAt, 'confirmed it stays')
  t.deepEqual(await town.mails(), [])
})
