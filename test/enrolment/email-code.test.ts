import test, { type ExecutionContext } from 'ava'
import type { Visit } from '#enrolment/step.ts'
import { openEmailCode } from '#enrolment/steps/email-code.ts'
import { again, lettersIn, openApplicant } from '../helpers/applicant.ts'
import { lendSteps } from '../helpers/step-ports.ts'

const address = 'wang@example.tw'
const source = { name: '192.0.2.7', factor: 1 }

/** The step with a code for each mail, and applicants at it. */
async function buildStep(t: ExecutionContext, rules: Partial<Visit<'email-code'>['step']> = {}) {
  const lent = await lendSteps(t)
  const codes = ['204816', '111111', '222222', '333333', '444444', '555555', '666666']
  let sent = 0
  const step = openEmailCode({ ...lent.ports, randomCode: () => codes[sent++] ?? '999999' })
  const here: Visit<'email-code'>['step'] = {
    id: 'mail',
    type: 'email-code',
    fact: 'email',
    unique: true,
    resend_seconds: 120,
    tries: 5,
    valid_seconds: 600,
    ...rules,
  }
  const applicant = (changes: Partial<Visit<'email-code'>> = {}) =>
    openApplicant(step, here, lent.clock, changes)
  return { ...lent, step, applicant }
}

const wrong = (left: number) => again({ key: 'joining.email-code.wrong', params: { left } }, 'code')
const done = {
  kind: 'done',
  facts: { email: address, email_verified: true },
  memory: { proven: address },
} as const

test('she asks for a code, types it in, and her address is proven', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  const sent = await her.submit({ action: 'send', email: ` ${address} `, code: '' })
  t.like(sent, { kind: 'again', problems: [], notice: 'joining.email-code.sent' })
  t.deepEqual(lettersIn(sent), [
    { kind: 'code', to: address, language: 'zh-TW', code: '204816', params: { lasts: 600 } },
  ])
  t.like(await her.show(), { field: 'email', address, sent: true, pause: 120, minutes: 10 })
  t.deepEqual(await her.submit({ email: address, code: '204816' }), done)
  t.deepEqual(her.known(), { facts: done.facts }, 'nothing before it makes her prove it again')
  t.deepEqual(await her.submit({ email: address, code: '' }), done, 'nor does going on once more')
})

test('nothing of the code can be read from what is kept', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.submit({ action: 'send', email: address })
  t.notRegex(JSON.stringify(her.remembers()), /204816/)
  t.deepEqual(Object.keys(her.remembers()).sort(), [
    'address',
    'digest',
    'expiresAt',
    'sends',
    'sentAt',
  ])
})

test('full-width digits, blanks and hyphens are the code, too', async (t) => {
  for (const code of ['２０４８１６', ' 204 816 ', '204-816']) {
    const { applicant } = await buildStep(t)
    const her = applicant()
    await her.submit({ action: 'send', email: address })
    t.deepEqual(await her.submit({ email: address, code }), done, code)
  }
})

test('going on before a code was sent sends one; what is no address and what is no code say so', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  t.deepEqual(
    await her.submit({ email: 'wang', code: '' }),
    again('joining.email-code.no-address', 'email'),
  )
  t.deepEqual(
    await her.submit({ email: address, code: '123456' }),
    again('joining.email-code.not-sent', 'email'),
  )
  t.is(lettersIn(await her.submit({ email: address, code: '' })).length, 1)
  t.deepEqual(
    await her.submit({ email: address, code: '12345' }),
    again('joining.email-code.six-digits', 'code'),
  )
  t.deepEqual(
    await her.submit({ email: 'other@example.tw', code: '204816' }),
    again('joining.email-code.not-sent', 'email'),
  )
})

test('after five wrong codes the right one is worth nothing, and a new one is', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  await her.submit({ action: 'send', email: address })
  for (const left of [4, 3, 2, 1])
    t.deepEqual(await her.submit({ email: address, code: '000000' }), wrong(left))
  const spent = again('joining.email-code.spent', 'code')
  t.deepEqual(await her.submit({ email: address, code: '000000' }), spent)
  t.deepEqual(await her.submit({ email: address, code: '204816' }), spent)
  clock.at += 120
  await her.submit({ action: 'send', email: address })
  t.deepEqual(await her.submit({ email: address, code: '111111' }), done)
})

test('of a hundred guesses at the same moment five are looked at', async (t) => {
  const { applicant, step } = await buildStep(t)
  const her = applicant()
  await her.submit({ action: 'send', email: address })
  const many = her.visit({ source: { ...source, factor: 100 } })
  const guess = (code: string) => step.submit(many, { fields: { email: address, code }, files: {} })
  const guesses = Array.from({ length: 99 }, (_, i) => guess(String(i).padStart(6, '0')))
  const outcomes = await Promise.all(guesses)
  const problems = outcomes.map((one) => JSON.stringify('problems' in one ? one.problems : one))
  t.is(problems.filter((one) => /wrong/.test(one)).length, 4)
  t.is(problems.filter((one) => /spent/.test(one)).length, 95)
  t.deepEqual(
    await her.submit({ email: address, code: '204816' }),
    again('joining.email-code.spent', 'code'),
  )
})

test('a code is good for ten minutes, and one in two applications for its own only', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  await her.submit({ action: 'send', email: address })
  const other = applicant({ application: 'application 2', memory: her.remembers() })
  t.deepEqual(await other.submit({ email: address, code: '204816' }), wrong(4))
  clock.at += 600
  t.deepEqual(
    await her.submit({ email: address, code: '204816' }),
    again('joining.email-code.expired', 'code'),
  )
})

test('a new code after 120 seconds, not before, and the old one is dead', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  await her.submit({ action: 'send', email: address })
  clock.at += 100
  const early = await her.submit({ action: 'send', email: address })
  t.deepEqual(early, {
    ...again({ key: 'joining.mail-pause.seconds', params: { seconds: 20 } }),
    waitSeconds: 20,
  })
  clock.at += 20
  t.is(lettersIn(await her.submit({ action: 'send', email: address })).length, 1)
  t.like(await her.show(), { sentBefore: true, pause: 120 })
  t.deepEqual(await her.submit({ email: address, code: '204816' }), wrong(4))
  t.deepEqual(await her.submit({ email: address, code: '111111' }), done)
})

test('five mails an hour reach a mailbox, whoever asks and however it is spelt', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const spellings = ['wang@example.tw', 'WANG@example.tw', 'wang+1@example.tw', 'Wang+2@Example.tw']
  for (const [i, email] of [...spellings, address].entries()) {
    const from = { name: `198.51.100.${i}`, factor: 1 }
    const her = applicant({ application: `application ${i}`, source: from })
    t.is(lettersIn(await her.submit({ action: 'send', email })).length, 1, email)
  }
  const sixth = applicant({
    application: 'application 6',
    source: { name: '203.0.113.1', factor: 1 },
  })
  const held = await sixth.submit({ action: 'send', email: address })
  t.deepEqual(held, {
    ...again({ key: 'joining.mail-held.minutes', params: { minutes: 60 } }, 'email'),
    waitSeconds: 3600,
  })
  clock.at += 3600
  t.is(lettersIn(await sixth.submit({ action: 'send', email: address })).length, 1)
})

test('twenty mails an hour leave for one network, and more where many share it', async (t) => {
  const { applicant } = await buildStep(t)
  const send = (i: number, factor: number) =>
    applicant({ source: { ...source, factor } }).submit({
      action: 'send',
      email: `${i}@example.tw`,
    })
  for (let i = 0; i < 20; i++) t.is(lettersIn(await send(i, 1)).length, 1)
  t.like(await send(20, 1), { kind: 'again', waitSeconds: 3600 })
  t.is(lettersIn(await send(21, 50)).length, 1)
})

test('thirty wrong codes an hour come from one network, for whatever applications', async (t) => {
  const { applicant } = await buildStep(t, { tries: 20 })
  const her = applicant({ source: { name: '198.51.100.1', factor: 1 } })
  await her.submit({ action: 'send', email: address })
  const wrongs = [1, 2].map((i) =>
    applicant({ application: `application ${i}`, memory: her.remembers() }),
  )
  for (const one of wrongs)
    for (let i = 0; i < 15; i++) await one.submit({ email: address, code: '000000' })
  const third = applicant({ application: 'application 3', memory: her.remembers() })
  const held = { key: 'joining.email-code.held.minutes', params: { minutes: 60 } }
  t.like(await third.submit({ email: address, code: '000000' }), again(held, 'code'))
  t.deepEqual(await her.submit({ email: address, code: '204816' }), done, 'nobody elsewhere waits')
})

test('of an address somebody has, all looks the same, but no code is right and its owner hears of it', async (t) => {
  const { applicant, take } = await buildStep(t)
  await take('email', address)
  const her = applicant()
  const sent = await her.submit({ action: 'send', email: address })
  t.like(sent, { kind: 'again', problems: [], notice: 'joining.email-code.sent' })
  t.deepEqual(lettersIn(sent), [
    { kind: 'address-taken', to: address, language: 'zh-TW', link: 'https://id.example/reset' },
  ])
  t.like(await her.show(), { sent: true, pause: 120, address })
  t.deepEqual(await her.submit({ email: address, code: '204816' }), wrong(4))
})

test('an address from the form gets its code when the step’s turn comes, once', async (t) => {
  const { applicant } = await buildStep(t, { address: 'email' })
  const her = applicant({ facts: { email: address } })
  t.is(lettersIn(await her.enter()).length, 1)
  t.is(await her.enter(), undefined, 'the form sent again with the same address sends nothing')
  t.like(await her.show(), { to: 'w•••@example.tw', sent: true })
  t.false('address' in (await her.show()), 'and is not asked for')
  t.deepEqual(await her.submit({ code: '204816' }), done)
  const changed = applicant({ facts: { email: 'other@example.tw' }, memory: her.remembers() })
  t.is(changed.known(), undefined, 'another address is not proven')
})

test('an address changed in the form kills the code sent to the first, also where none can be sent', async (t) => {
  const { applicant, ports } = await buildStep(t, { address: 'email' })
  const her = applicant({ facts: { email: address } })
  await her.enter()
  const victim = 'lin@example.tw'
  const spent = { of: ['joining mails to', victim], seconds: 3600, points: 5 }
  await ports.counters.hit(spent)
  const changed = applicant({ facts: { email: victim } })
  const visit = changed.visit({ memory: her.remembers() })
  const { enter, submit, show } = openEmailCode(ports)
  const held = await enter?.(visit)
  t.deepEqual(lettersIn(held), [])
  const memory = held && 'memory' in held ? held.memory : undefined
  t.like(await show({ ...visit, memory: memory ?? {} }), { locals: { sent: false } })
  const guess = { fields: { code: '204816' }, files: {} }
  for (const kept of [memory ?? {}, her.remembers()])
    t.deepEqual(
      await submit({ ...visit, memory: kept }, guess),
      again('joining.email-code.not-sent'),
    )
})
