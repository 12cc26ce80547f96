import test, { type ExecutionContext } from 'ava'
import type { Visit } from '#enrolment/step.ts'
import { openEmailLink } from '#enrolment/steps/email-link.ts'
import { again, lettersIn, openApplicant, sendingsIn } from '../helpers/applicant.ts'
import { lendSteps } from '../helpers/step-ports.ts'

const address = 'wang@example.tw'
const password = 'correct horse battery'
const here = { sameBrowser: true, held: {} }
const link = { purpose: 'activate', validSeconds: 72 * 3600 } as const

async function buildStep(t: ExecutionContext) {
  const lent = await lendSteps(t)
  const step = openEmailLink(lent.ports)
  const rules = {
    id: 'activate',
    type: 'email-link',
    address: 'email',
    resend_seconds: 120,
    valid_hours: 72,
  } as const
  const applicant = (changes: Partial<Visit<'email-link'>> = {}) =>
    openApplicant(step, rules, lent.clock, { facts: { email: address }, ...changes })
  const hash = await lent.ports.passwords.hash(password)
  const elsewhere = { sameBrowser: false, held: { picture: 'image/webp,AAAA', secret: hash } }
  return { ...lent, applicant, elsewhere }
}

test('the link leaves when the step’s turn comes, and the application waits for its address', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant({ facts: { email: 'Wang@Example.tw' } })
  const entered = await her.enter()
  t.like(entered, { kind: 'waiting', contact: 'wang@example.tw' })
  const to = { to: 'Wang@Example.tw', language: 'zh-TW' }
  const params = { account: 'Wang@Example.tw', lasts: 72 * 3600 }
  t.deepEqual(sendingsIn(entered), [{ letter: { kind: 'activate', ...to, params }, link }])
  const page = { to: 'W•••@Example.tw', hours: 72, pause: 120, sent: true }
  t.deepEqual(await her.show(), page)
  t.deepEqual(await her.submit({}), again('joining.email-link.still'))
})

test('of an address somebody has all looks the same: a link nobody gets, and a letter to its owner', async (t) => {
  const { applicant, take } = await buildStep(t)
  const free = await applicant().enter()
  await take('email', address)
  const her = applicant()
  const entered = await her.enter()
  t.is(entered?.kind, free?.kind)
  t.deepEqual(sendingsIn(entered), [
    {
      letter: {
        kind: 'address-taken',
        to: address,
        language: 'zh-TW',
        link: 'https://id.example/reset',
      },
      blank: link,
    },
  ])
  t.false(her.isLinkGood())
  t.like(await her.show(), { to: 'w•••@example.tw', sent: true, pause: 120 })
})

test('where she registered the button is enough, and her address is proven', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.enter()
  t.deepEqual(await her.showLink(here), { account: address, sameBrowser: true, asks: false })
  const facts = { email_verified: true }
  t.deepEqual(await her.useLink({}, here), { kind: 'done', facts, memory: { proven: address } })
  t.deepEqual(her.known(), { facts })
  const other = applicant({ facts: { email: 'lin@example.tw' }, memory: her.remembers() })
  t.is(other.known(), undefined, 'another address is not')
})

test('elsewhere the password is asked for, and five wrong ones spend the link', async (t) => {
  const { applicant, elsewhere, clock } = await buildStep(t)
  const her = applicant()
  await her.enter()
  t.like(await her.showLink(elsewhere), { asks: true, sameBrowser: false })
  const typed = (password: string) => her.useLink({ password }, elsewhere)
  t.deepEqual(await typed(''), again('joining.email-link.no-password', 'password'))
  for (const left of [4, 3, 2, 1]) {
    const wrong = { key: 'joining.email-link.wrong', params: { left } }
    t.deepEqual(await typed('wrong'), again(wrong, 'password'))
  }
  const spent = again('joining.email-link.spent', 'password')
  t.deepEqual(await typed('wrong'), spent)
  t.deepEqual(await typed(password), spent, 'the right one comes too late')
  t.like(await her.useLink({}, here), { kind: 'done' }, 'where she registered it is still good')
  const again120 = applicant({ memory: { address, linked: true, sentAt: clock.at + 120 } })
  t.like(await again120.useLink({ password }, elsewhere), { kind: 'done' }, 'as is the next mail')
})

test('of twenty passwords tried at the same moment five are looked at', async (t) => {
  const { applicant, elsewhere } = await buildStep(t)
  const her = applicant()
  await her.enter()
  const tries = Array.from({ length: 20 }, () => her.useLink({ password: 'wrong' }, elsewhere))
  const said = (await Promise.all(tries)).map((one) => JSON.stringify(one))
  t.is(said.filter((one) => one.includes('email-link.wrong')).length, 4)
  t.is(said.filter((one) => one.includes('email-link.spent')).length, 16)
})

test('without a password nobody activates elsewhere: it says where, and lets her end it', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.enter()
  const elsewhere = { sameBrowser: false, held: {} }
  t.like(await her.showLink(elsewhere), { asks: false, sameBrowser: false })
  const only = again('joining.email-link.other-browser')
  t.deepEqual(await her.useLink({ email: address, password }, elsewhere), only)
  const denied = { kind: 'refused', why: 'joining.email-link.denied' } as const
  t.deepEqual(await her.useLink({ action: 'deny' }, elsewhere), denied)
})

test('once more after 120 seconds, not before, and five times an hour', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  await her.enter()
  clock.at += 119
  const pause = { key: 'joining.mail-pause.seconds', params: { seconds: 1 } }
  t.deepEqual(await her.submit({ action: 'resend' }), { ...again(pause), waitSeconds: 1 })
  clock.at += 1
  const notice = { kind: 'again', problems: [], notice: 'joining.email-link.sent' } as const
  for (let i = 0; i < 4; i++) {
    const sent = await her.submit({ action: 'resend' })
    t.like(sent, notice)
    t.is(lettersIn(sent).length, 1)
    clock.at += 120
  }
  const held = await her.submit({ action: 'resend' })
  t.like(held, { ...again({ key: 'joining.mail-held.minutes', params: { minutes: 50 } }) })
  t.true(her.isLinkGood(), 'the last one is good until another is sent')
})

test('an address changed in the form ends the link sent to the first, also where none can be sent', async (t) => {
  const { applicant, ports } = await buildStep(t)
  const attacker = applicant()
  await attacker.enter()
  const victim = 'lin@example.tw'
  await ports.counters.hit({ of: ['joining mails to', victim], seconds: 3600, points: 5 })
  const changed = applicant({ facts: { email: victim }, memory: attacker.remembers() })
  t.false(changed.isLinkGood(), 'already before the engine went on')
  const entered = await changed.enter()
  t.deepEqual(lettersIn(entered), [])
  t.like(entered, { kind: 'waiting', contact: victim })
  t.false(changed.isLinkGood())
  const held = { key: 'joining.mail-held.minutes', params: { minutes: 60 } }
  t.deepEqual((await changed.show()).held, held)
})

test('the form sent again with the same address goes on waiting and sends nothing', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  await her.enter()
  t.deepEqual(await her.enter(), { kind: 'waiting', contact: address })
  clock.at += 72 * 3600
  t.is(lettersIn(await her.enter()).length, 1, 'but for a link that has expired')
})
