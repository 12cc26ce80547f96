/** Second factors without pages: codes of an app, codes on paper, and what the tables say of those who race. */
import test, { type ExecutionContext } from 'ava'
import { TOTP } from 'otpauth'
import { listFactors, renewCodes } from '#account/second-factor.ts'
import { isLastOwner } from '#accounts/last-owner.ts'
import { makeChallenge, readChallenge } from '#accounts/second-factor/challenge.ts'
import { checkFactor, type FactorProof } from '#accounts/second-factor/proof.ts'
import { makeRecoveryCodes, recoveryDigest } from '#accounts/second-factor/recovery-codes.ts'
import { beginSetUp, confirmSetUp, openSetUp, sealSetUp } from '#accounts/second-factor/set-up.ts'
import { newTotpSecret, stepOf, totpUri } from '#accounts/second-factor/totp.ts'
import { beginAcceptance, confirmFactor, findAcceptance } from '#admin/staff/acceptance.ts'
import type { Store } from '#store/store.ts'
import { buildStore, engines } from '../helpers/database.ts'

const dataKey = Buffer.alloc(32, 7)
const at = 1_795_680_015
const ports = { dataKey, issuer: 'https://id.example.gov.tw', title: '教育雲', at }
const codeAt = (secret: string, when: number) =>
  new TOTP({ secret }).generate({ timestamp: when * 1000 })

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
  profile: {},
  createdAt: 1,
  updatedAt: 1,
})

/** Somebody with an authenticator app, confirmed by the code of five minutes ago. */
async function enrol({ accounts, secondFactors }: Store, accountId = 'a') {
  await accounts.create(account(accountId))
  const setUp = await beginSetUp(at - 300)
  const typed = { code: codeAt(setUp.secret, at - 300), label: 'phone' }
  const factor = await confirmSetUp(dataKey, setUp, typed, at - 300)
  if (!factor) throw new Error('not confirmed')
  await secondFactors.add({ ...factor, accountId, createdAt: at - 300 })
  return setUp.secret
}

/** As the interaction does it: looked at first, used up inside a transaction. */
async function prove(store: Store, proof: FactorProof, accountId = 'a'): Promise<boolean> {
  const checked = await checkFactor(store, accountId, proof, ports)
  if (checked.kind === 'wrong') return false
  return store.transaction((tables) => checked.use(tables))
}

const yes = (answers: boolean[]) => answers.filter(Boolean).length
const tenTimes = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: 10 }, work))

test('a code is good for its step, the one before and the one after, as people type it', async (t) => {
  const secret = await newTotpSecret()
  t.is(Buffer.from(secret).length, 32, '160 bits')
  const step = Math.floor(at / 30)
  for (const off of [-1, 0, 1])
    t.is(await stepOf(secret, codeAt(secret, at + off * 30), at), step + off)
  for (const off of [-2, 2])
    t.is(await stepOf(secret, codeAt(secret, at + off * 30), at), undefined)
  const code = codeAt(secret, at)
  t.is(await stepOf(secret, `${code.slice(0, 3)} ${code.slice(3)}`, at), step)
  const wide = [...code].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join('')
  t.is(await stepOf(secret, wide, at), step)
  for (const junk of ['', '12345', '1234567', 'abcdef', '１２３', '0'.repeat(100)]) {
    t.is(await stepOf(secret, junk, at), undefined, junk)
  }
})

test('the picture names the account and cannot be talked into naming another issuer', async (t) => {
  const uri = new URL(await totpUri('JBSWY3DPEHPK3PXP', { issuer: 'A:B', account: 'x:y@z' }))
  t.is(uri.protocol, 'otpauth:')
  t.is(uri.searchParams.get('issuer'), 'A B')
  t.is(decodeURIComponent(uri.pathname).split(':').length, 2)
  t.is(uri.searchParams.get('algorithm'), 'SHA1')
  t.is(uri.searchParams.get('digits'), '6')
})

test('what is set up is bound to the person and the browser, and over after half an hour', async (t) => {
  const whom = { accountId: 'a', device: 'd' }
  const setUp = await beginSetUp(at)
  const sealed = sealSetUp(dataKey, whom, setUp)
  t.notRegex(Buffer.from(sealed, 'base64url').toString('latin1'), new RegExp(setUp.secret))
  t.deepEqual(openSetUp(dataKey, whom, sealed, at + 1799), setUp)
  t.is(openSetUp(dataKey, whom, sealed, at + 1800), undefined)
  t.is(openSetUp(dataKey, { ...whom, accountId: 'b' }, sealed, at), undefined)
  t.is(openSetUp(dataKey, { ...whom, device: 'e' }, sealed, at), undefined)
  t.is(openSetUp(dataKey, whom, 'v1.junk', at), undefined)
  t.is(await confirmSetUp(dataKey, setUp, { code: '000000x', label: '' }, at), undefined)
})

test('recovery codes are ten, of more than fifty bits, and read as people copy them', (t) => {
  const codes = makeRecoveryCodes()
  t.is(new Set(codes).size, 10)
  for (const code of codes) t.regex(code, /^[2-9a-hjkmnp-tv-z]{4}(-[2-9a-hjkmnp-tv-z]{4}){2}$/)
  const [code = ''] = codes
  const digest = recoveryDigest(dataKey, 'a', code)
  t.is(recoveryDigest(dataKey, 'a', ` ${code.toUpperCase().replaceAll('-', ' ')} `), digest)
  t.not(recoveryDigest(dataKey, 'b', code), digest, 'somebody else’s')
  t.not(recoveryDigest(Buffer.alloc(32, 8), 'a', code), digest, 'without the key')
})

test('a challenge is good for its purpose, account and browser, for five minutes', (t) => {
  const whom = { purpose: 'prove', accountId: 'a', device: 'd' } as const
  const signed = (text: string) => Buffer.from(text).toString('base64url')
  const challenge = makeChallenge(dataKey, whom, at)
  const good = readChallenge(dataKey, whom, signed(challenge), at + 299)
  t.is(good?.expiresAt, at + 300)
  t.is(readChallenge(dataKey, whom, signed(challenge), at + 300), undefined)
  for (const other of [{ purpose: 'add' }, { accountId: 'b' }, { device: 'e' }] as const) {
    t.is(readChallenge(dataKey, { ...whom, ...other }, signed(challenge), at), undefined)
  }
  const [nonce, , mark] = challenge.split('.')
  const longer = `${nonce}.${at + 9_000_000}.${mark}`
  t.is(readChallenge(dataKey, whom, signed(longer), at), undefined, 'stretched')
  t.is(readChallenge(dataKey, whom, '', at), undefined)
})

contract(
  'of ten who show the same code at once, one gets in; nobody does after',
  async (t, store) => {
    const secret = await enrol(store)
    const code = codeAt(secret, at)
    t.is(yes(await tenTimes(() => prove(store, { way: 'totp', code }))), 1)
    t.false(await prove(store, { way: 'totp', code }))
    const before = codeAt(secret, at - 30)
    t.false(await prove(store, { way: 'totp', code: before }), 'nor with an earlier one')
    t.true(await prove(store, { way: 'totp', code: codeAt(secret, at + 30) }))
  },
)

contract(
  'a recovery code is good once, for its owner, and while she has a factor',
  async (t, store) => {
    await enrol(store)
    await enrol(store, 'b')
    const codes = makeRecoveryCodes()
    const digests = codes.map((code) => recoveryDigest(dataKey, 'a', code))
    await store.transaction((tables) => tables.recoveryCodes.replace('a', digests, at))
    const [first = '', second = '', third = ''] = codes
    t.is(yes(await tenTimes(() => prove(store, { way: 'recovery-code', code: first }))), 1)
    t.is((await store.recoveryCodes.standing('a')).left, 9)
    t.false(await prove(store, { way: 'recovery-code', code: second }, 'b'))
    t.true(await prove(store, { way: 'recovery-code', code: second }))
    await store.secondFactors.removeAll('a')
    t.false(await prove(store, { way: 'recovery-code', code: third }), 'they stand in for a factor')
  },
)

contract('a code of one account opens no other', async (t, store) => {
  const secret = await enrol(store)
  await enrol(store, 'b')
  t.false(await prove(store, { way: 'totp', code: codeAt(secret, at) }, 'b'))
})

contract('an invitation is used once, and the newest to an address counts', async (t, store) => {
  const { staffInvitations } = store
  const row = (id: string, more = {}) => ({
    id,
    email: 'x@example.tw',
    roles: [{ role: 'owner', reach: '' }],
    createdAt: at,
    createdBy: 'operator:test',
    expiresAt: at + 100,
    ...more,
  })
  await staffInvitations.make(row('one'))
  await staffInvitations.make(row('two'))
  t.is(await staffInvitations.find('one'), undefined)
  await staffInvitations.make(row('for-a', { email: '', accountId: 'a' }))
  await staffInvitations.make(row('for-a-again', { email: 'y@example.tw', accountId: 'a' }))
  t.deepEqual((await staffInvitations.open(at)).map(({ id }) => id).sort(), ['for-a-again', 'two'])
  t.false(await staffInvitations.use('two', 'a', at + 100), 'over')
  t.is(yes(await tenTimes(() => staffInvitations.use('two', 'a', at))), 1)
  t.like(await staffInvitations.find('two'), { usedBy: 'a', usedAt: at })
  t.false(await staffInvitations.remove('two'), 'used ones stay')
})

contract(
  'of ten tabs that confirm the factor of an invitation at once, all show the codes that count',
  async (t, store) => {
    const kept = { store, dataKey }
    const place = { invitation: 'i', device: 'd' }
    const who = { kind: 'new', account: 'x', name: 'x', secret: 'x' } as const
    await beginAcceptance(kept, place, who, at)
    const acceptance = await findAcceptance(kept, place, at)
    if (!acceptance) throw new Error('not begun')
    const here = { acceptance, accountId: 'a' }
    const code = codeAt(acceptance.setUp.secret, at)
    const shown = { way: 'totp', code, label: '' } as const
    const made = await tenTimes(async () => {
      const { kind } = await confirmFactor(kept, place, here, shown, at, ports)
      return { kind, codes: (await findAcceptance(kept, place, at))?.made?.codes.join() }
    })
    t.is(new Set(made.map(({ codes }) => codes)).size, 1)
    t.is(made.filter(({ kind }) => kind === 'confirmed').length, 1)
    t.is(made.filter(({ kind }) => kind === 'made-already').length, 9)
  },
)

contract(
  'of ten who make new recovery codes from one page at once, one is shown them, and they count',
  async (t, store) => {
    await enrol(store)
    await store.recoveryCodes.replace('a', ['before'], at)
    const { edition: seen } = await listFactors(store, 'a')
    const acting = { accountId: 'a', at, language: 'en', where: {}, sessionUid: 's', device: 'd' }
    const writeLetter = () => ({ to: '', subject: '', text: '', html: '' })
    const renewed = await tenTimes(() =>
      renewCodes(store, { ...acting, proved: true }, seen, { ...ports, writeLetter }),
    )
    const made = renewed.flatMap((one) => (one.kind === 'made' ? one.codes : []))
    t.is(made.length, 10)
    t.deepEqual(
      renewed.flatMap((one) => (one.kind === 'refused' ? one.why : [])),
      Array(9).fill('codes-changed'),
    )
    t.true(await prove(store, { way: 'recovery-code', code: made[9] ?? '' }))
    t.not((await listFactors(store, 'a')).edition, seen)
  },
)

contract(
  'two owners who take each other’s role away at once: one of them stays',
  async (t, store) => {
    const grant = { role: 'owner', reach: '', grantedAt: 1, grantedBy: 'operator:test' }
    for (const id of ['a', 'b']) {
      await enrol(store, id)
      await store.staffRoles.grant({ holder: id, ...grant })
    }
    // Who cannot get in does not count.
    await store.accounts.create(account('c'))
    await store.staffRoles.grant({ holder: 'c', ...grant })
    await store.staffRoles.grant({ holder: 'client:robot', ...grant })
    const take = (holder: string) =>
      store.transaction(async (tables) => {
        if (await isLastOwner(tables, holder)) return false
        return tables.staffRoles.revoke({ holder, role: 'owner', reach: '' })
      })
    t.is(yes(await Promise.all([take('a'), take('b')])), 1)
  },
)
