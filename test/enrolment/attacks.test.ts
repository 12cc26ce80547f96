/** What others try with an application that is not theirs, and what a bad day does to one that is. */
import test from 'ava'
import {
  buildTown,
  field,
  her,
  identityOf,
  phone,
  rulesOf,
  secret,
  stranger,
  tokenIn,
} from '../helpers/enrolment-town.ts'

const name = field('name', 'text')
const email = field('email', 'email')
const account = field('account', 'account', { domain: 'mail.edu.tw' })
const password = field('password', 'password', { twice: false })
const end = { id: 'done', type: 'done' }
const county = { id: 'county', type: 'upstream' }
const form = (...fields: object[]) => ({ id: 'data', type: 'form', fields })
const creates = {
  identifiers: [{ type: 'email', fact: 'account', verified: true }],
  profile: { name: 'name' },
  password: 'password',
}
const byLink = rulesOf({
  id: 'by-link',
  steps: [
    form(name, email, password),
    { id: 'activate', type: 'email-link', address: 'email' },
    end,
  ],
  creates: {
    ...creates,
    identifiers: [{ type: 'email', fact: 'email', verified: 'email_verified' }],
  },
})
const school = rulesOf({
  id: 'school',
  steps: [county, form(name, account, password), { id: 'check', type: 'summary' }, end],
  creates,
})
const answers = { name: '王小明', account: 'ming', password: secret }

test('who goes on with an application by a link keeps nothing of the password somebody else chose', async (t) => {
  const { engine, begin, mails, open, send, ports, store, accountOf } = await buildTown(t, [byLink])
  const email = 'wang@example.tw'
  const application = await begin('by-link', { name: '王小明', email, password: secret }, stranger)
  const activate = tokenIn(await mails())
  await engine.mailResume(await open(application, stranger), email, stranger)
  t.is(await engine.takeOver(tokenIn(await mails()), her), application)
  // As a page sends it where nothing new is typed.
  const kept = await send(application, 'data', { name: '王小明', email, password: '' }, her)
  t.like(kept, { kind: 'again', shown: { problems: [{ field: 'password' }] } })
  await send(application, 'data', { name: '王小明', email, password: 'another battery staple' })
  await engine.useLink('activate', activate, { fields: {}, files: {} }, her)
  const credential = await store.credentials.findPassword((await accountOf(email)) ?? '')
  t.truthy(credential)
  t.false(await ports.passwords.verify(credential?.secret, secret))
})

test('an address somebody else proved is proven anew by who goes on by a link', async (t) => {
  const rules = rulesOf({
    id: 'by-code',
    steps: [{ id: 'mail', type: 'email-code' }, form(name, password), end],
    creates: byLink.creates,
  })
  const { engine, begin, mails, open, send, stepOf } = await buildTown(t, [rules])
  const his = 'mallory@example.tw'
  const application = await begin('by-code', { action: 'send', email: his }, stranger)
  const { text = '' } = (await mails())[0] ?? {}
  const code = /\d{6}/.exec(text)?.[0] ?? ''
  await send(application, 'mail', { email: his, code }, stranger)
  t.is(await stepOf(application, stranger), 'data')
  await engine.mailResume(await open(application, stranger), 'wang@example.tw', stranger)
  await engine.takeOver(tokenIn(await mails()), her)
  t.is(await stepOf(application), 'mail')
})

test('who came in by a county and by no other door goes on nowhere else', async (t) => {
  const rules = rulesOf({
    id: 'identity-only',
    entry: { identity: {} },
    steps: [
      form({ ...name, from: 'upstream.name', lock: 'vouched' }),
      { id: 'check', type: 'summary' },
      end,
    ],
    creates: { profile: { name: 'name' } },
  })
  const { engine, mails, open, send, events } = await buildTown(t, [rules])
  const door = { entry: 'identity' as const, identity: identityOf('T1', { name: '林雅雯' }) }
  const application = await engine.begin('identity-only', door, her)
  await send(application, 'data', {})
  await engine.mailResume(await open(application, her), 'mallory@example.tw', her)
  const taken = await engine.takeOver(tokenIn(await mails()), stranger)
  t.is(taken, application)
  await send(application, 'data', { name: '林雅雯' }, stranger)
  await send(application, 'check', {}, stranger)
  t.like(engine.finished(await open(application, stranger)), { why: 'joined.not-proven' })
  t.is((await events('account.create')).length, 0, 'nobody has an account with her name')
})

test('of two tabs that come back from the county at once none sees a fault', async (t) => {
  const { engine, stepOf } = await buildTown(t, [school])
  const submitted = await engine.start('school', { fields: { connector: 'ntpc' }, files: {} }, her)
  const application = submitted && 'application' in submitted ? String(submitted.application) : ''
  const errand = { application, step: 'county' }
  const back = () => engine.arrive(errand, identityOf('T1', { name: '林雅雯' }), her)
  const all = await Promise.all(Array.from({ length: 6 }, back))
  for (const one of all) t.like(one, { kind: 'next', application })
  t.is(await stepOf(application), 'data')
})

test('giving up, and asking for a link, while another tab saves is no fault', async (t) => {
  const { engine, begin, open, send, mails } = await buildTown(t, [byLink])
  const application = await begin('by-link', {
    name: '王',
    email: 'wang@example.tw',
    password: secret,
  })
  const stale = await open(application, her)
  await send(application, 'data', { name: '王小明', email: 'wang@example.tw', password: secret })
  await mails()
  t.is(await engine.mailResume(stale, 'wang@example.tw', her), undefined)
  t.is((await mails()).length, 1)
  await engine.discard(stale)
  t.like(engine.finished(await open(application, her)), { refused: true })
})

test('a name that is taken at the end is asked again on the way she went', async (t) => {
  const way = (kind: string) => ({
    ...form(name, account, password),
    id: `${kind}-form`,
    when: { kind },
  })
  const kinds = ['one', 'two'].map((value) => ({ value, label: { 'zh-TW': value, en: value } }))
  const rules = rulesOf({
    id: 'two-ways',
    steps: [
      { id: 'kind', type: 'choice', fact: 'kind', options: kinds },
      way('one'),
      way('two'),
      { id: 'check', type: 'summary' },
      end,
    ],
    creates,
  })
  const { begin, send, stepOf, take, engine, open } = await buildTown(t, [rules])
  const application = await begin('two-ways', { kind: 'one' })
  await send(application, 'one-form', { ...answers, account: 'ming' })
  await send(application, 'kind', { kind: 'two' })
  await send(application, 'two-form', answers)
  await take('email', 'ming@mail.edu.tw')
  t.like(await send(application, 'check', {}), { kind: 'next' })
  t.is(await stepOf(application), 'two-form')
  const shown = await engine.show(await open(application, her), undefined, her)
  t.like(shown, { problems: [{ field: 'account', problem: 'joining.taken' }] })
})

test('an application that is over keeps nothing of whom it was about', async (t) => {
  const { engine, begin, mails, store } = await buildTown(t, [byLink])
  const address = 'wang@example.tw'
  const done = await begin('by-link', { name: '王小明', email: address, password: secret })
  await engine.useLink('activate', tokenIn(await mails()), { fields: {}, files: {} }, her)
  const other = { name: '林', email: 'lin@example.tw', password: secret }
  const denied = await begin('by-link', other, stranger)
  const deny = { fields: { action: 'deny' }, files: {} }
  await engine.useLink('activate', tokenIn(await mails()), deny, her)
  for (const id of [done, denied]) {
    const row = await store.applications.find(id)
    t.is(row?.contact, undefined, `${row?.state}: not even a digest of the address`)
  }
})

const registered = { name: '王小明', email: 'wang@example.tw', password: secret }

test('an application whose rules this release does not understand has ended, and says so', async (t) => {
  const { engine, openEngine, mails } = await buildTown(t, [byLink])
  const [data, activate] = byLink.steps
  const scan = { id: 'retina', type: 'retina-scan' }
  const old = { ...byLink, steps: [data, activate, scan] } as typeof byLink
  const input = { fields: registered, files: {} }
  const begun = await openEngine([old]).start('by-link', input, her)
  const application = begun?.kind === 'next' ? begun.application : ''
  t.is((await engine.find(application, her.device)).kind, 'expired')
  t.is((await engine.showLink('activate', tokenIn(await mails()), her)).kind, 'stale')
  t.is(await engine.waitingPassword('wang@example.tw'), undefined)
  t.false(await engine.resendWaiting('wang@example.tw', async () => true))
})

test('what rules of an earlier release leave out is as if nobody had said otherwise', async (t) => {
  const { engine, openEngine } = await buildTown(t, [byLink])
  const [data, activate, ...rest] = byLink.steps
  const { resend_seconds: _, ...plain } = activate as typeof activate & { resend_seconds: number }
  const old = { ...byLink, steps: [data, plain, ...rest] } as typeof byLink
  const begun = await openEngine([old]).start('by-link', { fields: registered, files: {} }, her)
  const application = begun?.kind === 'next' ? begun.application : ''
  const found = await engine.find(application, her.device)
  t.like(found, { kind: 'found', rules: { steps: { 1: { resend_seconds: 120 } } } })
})

test('a child’s computer is not signed in when her guardian agrees elsewhere', async (t) => {
  const rules = rulesOf({
    id: 'with-guardian',
    steps: [form(name, account, password), { id: 'guardian', type: 'guardian' }, end],
    creates,
  })
  const { engine, begin, send, mails, events } = await buildTown(t, [rules])
  const application = await begin('with-guardian', answers)
  await send(application, 'guardian', {
    'guardian.name': '王大明',
    'guardian.relation': '父親',
    'guardian.email': 'ming@example.tw',
    'guardian.email_again': 'ming@example.tw',
  })
  const token = tokenIn(await mails())
  const page = await engine.showLink('guardian', token, phone)
  const { seen = '' } = page.kind === 'good' ? page.screen.locals : {}
  const fields = { decision: 'agree', name: '王大明', seen: String(seen) }
  t.like(await engine.useLink('guardian', token, { fields, files: {} }, phone), { came: 'account' })
  t.is((await events('account.create')).length, 1)
  // Days later, at a computer others use too: whoever sits there is not she.
  t.is(await engine.takeFresh(application, her), undefined)
})

test('the name she chose goes while her guardian reads: the child is asked for another one', async (t) => {
  const rules = rulesOf({
    id: 'with-guardian',
    steps: [form(name, account, password), { id: 'guardian', type: 'guardian' }, end],
    creates,
  })
  const { engine, begin, send, mails, take, stepOf } = await buildTown(t, [rules])
  const application = await begin('with-guardian', answers)
  await send(application, 'guardian', {
    'guardian.name': '王大明',
    'guardian.relation': '父親',
    'guardian.email': 'ming@example.tw',
    'guardian.email_again': 'ming@example.tw',
  })
  const token = tokenIn(await mails())
  const page = await engine.showLink('guardian', token, phone)
  const { seen = '' } = page.kind === 'good' ? page.screen.locals : {}
  const fields = { decision: 'agree', name: '王大明', seen: String(seen) }
  await take('email', 'ming@mail.edu.tw')
  t.like(await engine.useLink('guardian', token, { fields, files: {} }, phone), { kind: 'taken' })
  t.is(await stepOf(application), 'data')
})

test('what somebody proved at her county in the morning is not the next one’s in the afternoon', async (t) => {
  const { engine, send, stepOf, clock, events, open } = await buildTown(t, [school])
  const submitted = await engine.start('school', { fields: { connector: 'ntpc' }, files: {} }, her)
  const application = submitted && 'application' in submitted ? String(submitted.application) : ''
  const errand = { application, step: 'county' }
  await engine.arrive(errand, identityOf('T1', { name: '林雅雯' }), her)
  await send(application, 'data', answers)
  t.is(await stepOf(application), 'check')
  clock.at += 31 * 60
  t.like(await send(application, 'check', {}), { kind: 'next' })
  const asked = await engine.show(await open(application, her), undefined, her)
  t.like(asked, {
    step: { id: 'county' },
    problems: [{ problem: 'joining.upstream.again' }],
  })
  t.is((await events('account.create')).length, 0)
  // It is she: nothing is to be answered again.
  await engine.arrive(errand, identityOf('T1', { name: '林雅雯' }), her)
  t.is((await events('account.create')).length, 1)
})

test('another person’s county leaves nothing of the one before: no password, no answers', async (t) => {
  const { engine, send, stepOf, open } = await buildTown(t, [school])
  const submitted = await engine.start('school', { fields: { connector: 'ntpc' }, files: {} }, her)
  const application = submitted && 'application' in submitted ? String(submitted.application) : ''
  const errand = { application, step: 'county' }
  await engine.arrive(errand, identityOf('T1'), her)
  await send(application, 'data', answers)
  // The county says no name of either: all it says is the same.
  await engine.arrive(errand, identityOf('T2'), her)
  t.is(await stepOf(application), 'data')
  const shown = await engine.show(await open(application, her), undefined, her)
  t.notRegex(JSON.stringify(shown), /王小明|ming/)
  t.like(await send(application, 'data', { ...answers, password: '' }), { kind: 'again' })
})

test('of a hundred pictures from one network thirty an hour are looked at', async (t) => {
  const rules = rulesOf({
    id: 'pictures',
    steps: [form(account, password, field('picture', 'picture')), end],
    creates,
  })
  let encoded = 0
  const { engine, clock } = await buildTown(t, [rules], {
    async encodePicture() {
      encoded++
      return { kind: 'refused', why: 'broken' }
    },
  })
  const input = { fields: {}, files: { picture: { bytes: Buffer.from('a picture') } } }
  const send = () => engine.start('pictures', input, stranger)
  t.true(engine.takesFiles('pictures'))
  t.false(engine.takesFiles('unknown'))
  await Promise.all(Array.from({ length: 100 }, send))
  t.is(encoded, 30)
  const held = await send()
  t.like(held, { kind: 'again', waitSeconds: 3600 })
  t.regex(JSON.stringify(held), /picture\.too-many/)
  clock.at += 3600
  await send()
  t.is(encoded, 31)
})

test('an address no step of her way proved is nobody’s name to sign in with', async (t) => {
  const rules = rulesOf({
    id: 'unproven',
    steps: [
      form(name, account, email, password),
      { id: 'prove', type: 'email-link', address: 'email', when: { name: 'somebody else' } },
      end,
    ],
    creates: {
      ...creates,
      identifiers: [
        { type: 'email', fact: 'account', verified: true },
        { type: 'email', fact: 'email', verified: 'email_verified' },
      ],
    },
  })
  const { begin, accountOf } = await buildTown(t, [rules])
  await begin('unproven', { ...answers, email: 'victim@example.tw' })
  t.truthy(await accountOf('ming@mail.edu.tw'))
  t.is(await accountOf('victim@example.tw'), undefined)
})
