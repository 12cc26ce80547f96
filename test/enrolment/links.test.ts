/** Codes and links through the real engine on a real database: scanners, forwarded mails, guesses and races. */
import test, { type ExecutionContext } from 'ava'
import type { Enrolments } from '#enrolment/engine.ts'
import type { Visitor } from '#enrolment/joinings.ts'
import {
  buildTown as build,
  codeIn,
  field,
  her,
  phone,
  rulesOf,
  secret,
  stranger,
  tokenIn,
} from '../helpers/enrolment-town.ts'

const password = { twice: false }
const form = {
  id: 'data',
  type: 'form',
  fields: [field('name', 'text'), field('email', 'email'), field('password', 'password', password)],
}
const creates = {
  kind: 'member',
  identifiers: [{ type: 'email', fact: 'email', verified: 'email_verified' }],
  profile: { name: 'name' },
  password: 'password',
}
const end = { id: 'done', type: 'done' }
const enrolments = [
  {
    id: 'by-link',
    steps: [form, { id: 'activate', type: 'email-link', address: 'email' }, end],
    creates,
  },
  {
    id: 'by-code',
    steps: [
      { id: 'mail', type: 'email-code' },
      { ...form, fields: form.fields.filter(({ id }) => id !== 'email') },
      end,
    ],
    creates,
  },
  {
    id: 'with-guardian',
    steps: [form, { id: 'guardian', type: 'guardian' }, end],
    // Somebody has looked at her school's list.
    entry: { visitor: { facts: { email_verified: true } } },
    creates,
  },
].map(rulesOf)

async function buildTown(t: ExecutionContext) {
  const town = await build(t, enrolments)
  const register = (who = her, email = 'wang@example.tw', enrolment = 'by-link') =>
    town.begin(enrolment, { name: '王小明', email, password: secret }, who)
  return { ...town, register }
}

const press =
  (engine: Enrolments, token: string, who: Visitor) =>
  (fields: Record<string, string> = {}) =>
    engine.useLink('activate', token, { fields, files: {} }, who)

test('who uses her link twice at once has one account, and signs in where she registered', async (t) => {
  const { engine, register, mails, events, accountOf } = await buildTown(t)
  const application = await register()
  const token = tokenIn(await mails())
  const answers = await Promise.all(Array.from({ length: 8 }, () => press(engine, token, her)({})))
  const kinds = answers.map(({ kind }) => kind).sort()
  t.deepEqual(kinds, ['done', ...Array(7).fill('stale')])
  t.is((await events('account.create')).length, 1)
  t.like(await events('application.activate'), [
    { outcome: 'ok', target: application, address: '192.0.2.7', details: { sameBrowser: true } },
  ])
  t.like(await engine.takeFresh(application, her), {
    accountId: await accountOf('wang@example.tw'),
  })
  t.is(await engine.takeFresh(application, her), undefined, 'once')
})

test('scanners that open every link change nothing', async (t) => {
  const { engine, register, mails, accountOf, open } = await buildTown(t)
  const application = await register()
  const { version } = (await open(application, her)).row
  const token = tokenIn(await mails())
  for (const who of [stranger, phone, her])
    for (let i = 0; i < 5; i++)
      t.like(await engine.showLink('activate', token, who), { kind: 'good' })
  t.is(await accountOf('wang@example.tw'), undefined)
  t.is((await open(application, her)).row.version, version)
  t.like(await engine.showLink('guardian', token, her), { kind: 'stale' }, 'of its purpose only')
  t.like(await press(engine, token, her)(), { kind: 'done', came: 'account' })
  t.deepEqual(await engine.showLink('activate', token, her), { kind: 'stale' })
})

test('a forwarded link is worth nothing without the password, which five tries do not find', async (t) => {
  const { engine, register, mails, accountOf } = await buildTown(t)
  await register()
  const token = tokenIn(await mails())
  const shown = await engine.showLink('activate', token, stranger)
  t.like(shown, { screen: { locals: { asks: true, sameBrowser: false } } })
  t.notRegex(JSON.stringify(shown), /argon2/)
  const guess = press(engine, token, stranger)
  for (const password of ['', 'a', 'b', 'c', 'd', 'e'])
    t.like(await guess({ password }), { kind: 'good', problems: [{ field: 'password' }] })
  t.like(await guess({ password: secret }), { problems: [{ problem: 'joining.email-link.spent' }] })
  t.is(await accountOf('wang@example.tw'), undefined)
  t.like(await press(engine, token, her)(), { kind: 'done', came: 'account' })
})

test('she opens her mail on the telephone: the password she chose activates, and her computer goes on', async (t) => {
  const { engine, register, mails, accountOf } = await buildTown(t)
  const application = await register()
  const token = tokenIn(await mails())
  const done = await press(engine, token, phone)({ password: secret })
  t.like(done, { kind: 'done', came: 'account', sameBrowser: false })
  const accountId = await accountOf('wang@example.tw')
  t.is(
    await engine.takeFresh(application, phone),
    undefined,
    'the telephone is not signed in by it',
  )
  t.like(await engine.takeFresh(application, her), { accountId })
})

test('whose address was filled in by somebody else ends it with one button', async (t) => {
  const { engine, register, mails, accountOf, open, events } = await buildTown(t)
  const application = await register(stranger)
  const token = tokenIn(await mails())
  const denied = await press(engine, token, her)({ action: 'deny' })
  t.like(denied, { kind: 'done', came: 'end' })
  const over = await open(application, stranger)
  t.like(engine.finished(over), { refused: true, why: 'joining.email-link.denied' })
  t.deepEqual(over.draft.steps, {}, 'and nothing of what he typed is kept')
  t.like(await events('application.activate'), [{ outcome: 'refused' }])
  t.deepEqual(await press(engine, token, her)(), { kind: 'stale' })
  t.is(await accountOf('wang@example.tw'), undefined)
})

test('who is mailed the link to go on with somebody else’s application does not activate his password', async (t) => {
  const { engine, register, mails, open, accountOf } = await buildTown(t)
  const application = await register(stranger)
  const activate = tokenIn(await mails())
  const joining = await open(application, stranger)
  t.is(await engine.mailResume(joining, 'wang@example.tw', stranger), undefined)
  t.is(await engine.takeOver(tokenIn(await mails()), her), application)
  t.deepEqual(await press(engine, activate, her)(), { kind: 'stale' })
  t.is(await accountOf('wang@example.tw'), undefined)
  const now = await engine.show(await open(application, her), undefined, her)
  t.is(now?.step.id, 'data', 'she is asked for a password of her own first')
})

test('a link is good for three days', async (t) => {
  const { engine, register, mails, clock } = await buildTown(t)
  await register()
  const token = tokenIn(await mails())
  clock.at += 72 * 3600 - 1
  t.like(await engine.showLink('activate', token, her), { kind: 'good' })
  clock.at += 1
  t.deepEqual(await engine.showLink('activate', token, her), { kind: 'stale' })
  t.deepEqual(await press(engine, token, her)(), { kind: 'stale' })
})

test('the resend button pressed ten times at once sends one mail, whose link is the only good one', async (t) => {
  const { engine, register, mails, clock, send, open } = await buildTown(t)
  const application = await register()
  const first = tokenIn(await mails())
  const resend = () => send(application, 'activate', { action: 'resend' })
  t.like(await resend(), { kind: 'again', waitSeconds: 120 })
  clock.at += 120
  const pressed = await Promise.all(Array.from({ length: 10 }, resend))
  t.is(pressed.filter(({ kind }) => kind === 'next').length, 1)
  const sent = await mails()
  t.is(sent.length, 1)
  t.deepEqual(await engine.showLink('activate', first, her), { kind: 'stale' })
  t.like(await engine.showLink('activate', tokenIn(sent), her), { kind: 'good' })
  t.is((await open(application, her)).row.state, 'waiting')
})

test('an address corrected in the form gets a link of its own, and the first one’s is dead', async (t) => {
  const { engine, register, mails, send } = await buildTown(t)
  const application = await register(her, 'wnag@example.tw')
  const first = tokenIn(await mails())
  const corrected = { name: '王小明', email: 'wang@example.tw', password: secret }
  t.like(await send(application, 'data', corrected), { kind: 'next' })
  const sent = await mails()
  t.is(sent[0]?.to, 'wang@example.tw')
  t.deepEqual(await engine.showLink('activate', first, her), { kind: 'stale' })
  t.like(await press(engine, tokenIn(sent), her)(), { kind: 'done', came: 'account' })
})

test('nobody proves somebody else’s address with the link to his own', async (t) => {
  const { engine, register, mails, send, ports, take, accountOf } = await buildTown(t)
  const held = 'lin@example.tw'
  const taken = 'chen@example.tw'
  await ports.counters.hit({ of: ['joining mails to', held], seconds: 3600, points: 5 })
  await take('email', taken)
  for (const victim of [held, taken]) {
    const application = await register(stranger, 'mallory@example.tw')
    const own = tokenIn(await mails())
    const changed = { name: '王小明', email: victim, password: secret }
    t.like(await send(application, 'data', changed, stranger), { kind: 'next' })
    t.deepEqual(await press(engine, own, stranger)(), { kind: 'stale' }, victim)
    const letters = await mails()
    t.deepEqual(
      letters.map(({ to }) => to),
      victim === taken ? [taken] : [],
    )
  }
  t.is(await accountOf(held), undefined)
})

test('of two who registered one address the first to activate has it, and the second hears so', async (t) => {
  const { engine, register, mails, accountOf, events } = await buildTown(t)
  await register(stranger)
  const his = tokenIn(await mails())
  await register(her)
  const hers = tokenIn(await mails())
  const [first, second] = await Promise.all([
    press(engine, hers, her)(),
    press(engine, his, stranger)(),
  ])
  t.deepEqual([first.kind, second.kind].sort(), ['done', 'taken'])
  t.truthy(await accountOf('wang@example.tw'))
  t.is((await events('account.create')).length, 1)
})

test('five guesses at a code, at once or one after another, and the right one comes too late', async (t) => {
  const { begin, mails, send, open, accountOf } = await buildTown(t)
  const application = await begin('by-code', { action: 'send', email: 'wang@example.tw' })
  const code = codeIn(await mails())
  t.regex(code, /^\d{6}$/)
  const page = await open(application, her)
  const guess = (code: string) =>
    send(application, 'mail', { email: 'wang@example.tw', code }, her, page)
  const guesses = Array.from({ length: 20 }, (_, i) => guess(String(900_000 + i)))
  const said = (await Promise.all(guesses)).map((one) => JSON.stringify(one))
  t.is(said.filter((one) => one.includes('joining.email-code.wrong')).length, 4)
  t.is(said.filter((one) => one.includes('joining.email-code.spent')).length, 16)
  t.like(await guess(code), {
    kind: 'again',
    shown: { problems: [{ problem: 'joining.email-code.spent' }] },
  })
  t.is(await accountOf('wang@example.tw'), undefined)
})

test('the right code sent twice at once goes on, and counts once', async (t) => {
  const { engine, begin, mails, send, open } = await buildTown(t)
  const application = await begin('by-code', { action: 'send', email: 'wang@example.tw' })
  const fields = { email: 'wang@example.tw', code: codeIn(await mails()) }
  const page = await open(application, her)
  const both = await Promise.all([1, 2].map(() => send(application, 'mail', fields, her, page)))
  for (const one of both) t.like(one, { kind: 'next' })
  const now = await open(application, her)
  t.is(now.row.version, page.row.version + 1)
  t.is((await engine.show(now, undefined, her))?.step.id, 'data')
})

test('who goes back and has a code sent to another address is asked for that one', async (t) => {
  const { engine, begin, mails, send, open, clock } = await buildTown(t)
  const application = await begin('by-code', { action: 'send', email: 'wang@example.tw' })
  await send(application, 'mail', { email: 'wang@example.tw', code: codeIn(await mails()) })
  clock.at += 120
  t.like(await send(application, 'mail', { action: 'send', email: 'lin@example.tw' }), {
    kind: 'next',
  })
  const shown = await engine.show(await open(application, her), undefined, her)
  t.like(shown, {
    step: { id: 'mail' },
    screen: { locals: { address: 'lin@example.tw', sent: true } },
  })
})

test('an address that became somebody’s after it was proven is asked for again', async (t) => {
  const { engine, begin, mails, send, open, take } = await buildTown(t)
  const application = await begin('by-code', { action: 'send', email: 'wang@example.tw' })
  await send(application, 'mail', { email: 'wang@example.tw', code: codeIn(await mails()) })
  await take('email', 'wang@example.tw')
  t.like(await send(application, 'data', { name: '王小明', password: secret }), { kind: 'next' })
  const shown = await engine.show(await open(application, her), undefined, her)
  t.like(shown, {
    step: { id: 'mail' },
    problems: [{ field: 'email', problem: 'joining.taken' }],
  })
})

test('the page anybody can open sends the mail again, once in 120 seconds, to who waits for it', async (t) => {
  const { engine, register, mails, clock, open } = await buildTown(t)
  const application = await register()
  await mails()
  const yes = async () => true
  t.false(await engine.resendWaiting('wang@example.tw', yes), 'too soon')
  t.false(await engine.resendWaiting('nobody@example.tw', yes))
  clock.at += 120
  t.false(await engine.resendWaiting('wang@example.tw', async () => false), 'done by another one')
  t.deepEqual(await mails(), [])
  const couriers = Array.from({ length: 5 }, () => engine.resendWaiting('wang@example.tw', yes))
  t.is((await Promise.all(couriers)).filter(Boolean).length, 1)
  const sent = await mails()
  t.is(sent.length, 1)
  t.is((await open(application, her)).row.state, 'waiting')
  t.like(await press(engine, tokenIn(sent), her)(), { kind: 'done', came: 'account' })
  clock.at += 120
  t.false(await engine.resendWaiting('wang@example.tw', yes), 'nobody waits any more')
})

test('a guardian agrees at home, and the account keeps who agreed, when and where from', async (t) => {
  const { engine, register, mails, send, store, accountOf, events, clock } = await buildTown(t)
  const application = await register(her, 'kid@example.tw', 'with-guardian')
  const asked = {
    'guardian.name': '王大明',
    'guardian.relation': '父親',
    'guardian.email': 'ming@example.tw',
    'guardian.email_again': 'ming@example.tw',
  }
  t.like(await send(application, 'guardian', asked), { kind: 'next' })
  const letter = await mails()
  t.is(letter[0]?.to, 'ming@example.tw')
  t.false(await engine.resendWaiting('ming@example.tw', async () => true), 'not by anybody’s hand')
  const token = tokenIn(letter)
  clock.at += 3600
  const page = await engine.showLink('guardian', token, phone)
  const { seen = '' } = page.kind === 'good' ? page.screen.locals : {}
  const fields = { decision: 'agree', name: '王大明', seen: String(seen) }
  const agreed = await engine.useLink('guardian', token, { fields, files: {} }, phone)
  t.like(agreed, { kind: 'done', came: 'account', sameBrowser: false })
  const accountId = (await accountOf('kid@example.tw')) ?? ''
  t.deepEqual(await store.guardians.find(accountId), {
    accountId,
    name: '王大明',
    email: 'ming@example.tw',
    agreedAt: clock.at,
    address: '198.51.100.2',
  })
  t.like(await events('application.guardian'), [
    { outcome: 'ok', address: '198.51.100.2', details: { sameBrowser: false } },
  ])
  t.deepEqual((await mails()).map(({ to }) => to).sort(), ['kid@example.tw', 'ming@example.tw'])
})

test('a guardian who does not agree ends it', async (t) => {
  const { engine, register, mails, send, open, accountOf } = await buildTown(t)
  const application = await register(her, 'kid@example.tw', 'with-guardian')
  await send(application, 'guardian', {
    'guardian.name': '王大明',
    'guardian.relation': '父親',
    'guardian.email': 'ming@example.tw',
    'guardian.email_again': 'ming@example.tw',
  })
  const input = { fields: { decision: 'disagree' }, files: {} }
  await engine.useLink('guardian', tokenIn(await mails()), input, phone)
  const why = 'joining.guardian.refused'
  t.like(engine.finished(await open(application, her)), { refused: true, why })
  t.is(await accountOf('kid@example.tw'), undefined)
})
