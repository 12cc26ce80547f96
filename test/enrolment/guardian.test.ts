import test, { type ExecutionContext } from 'ava'
import type { Visit } from '#enrolment/step.ts'
import { openGuardian } from '#enrolment/steps/guardian.ts'
import { openTerms } from '#lib/terms.ts'
import { again, type Fields, lettersIn, openApplicant, sendingsIn } from '../helpers/applicant.ts'
import { lendSteps } from '../helpers/step-ports.ts'

const email = 'ming@example.tw'
const form = {
  'guardian.name': '王大明',
  'guardian.relation': '父親',
  'guardian.email': email,
  'guardian.email_again': email,
}
const elsewhere = { sameBrowser: false, held: {} }

const text = { title: '同意書', html: '<p>…</p>', hash: 'hash' }
const terms = openTerms(
  new Map([
    ['member', [{ id: 'member', version: '2014-08-01', from: 0, texts: { 'zh-TW': text } }]],
  ]),
)
const accepted = {
  terms: 'member',
  version: '2014-08-01',
  language: 'zh-TW',
  hash: 'hash',
  at: 0,
  address: '',
}

async function buildStep(t: ExecutionContext) {
  const lent = await lendSteps(t)
  const step = openGuardian({ ...lent.ports, terms })
  const rules = { id: 'guardian', type: 'guardian', resend_seconds: 120, valid_days: 14 } as const
  const applicant = (changes: Partial<Visit<'guardian'>> = {}) =>
    openApplicant(step, rules, lent.clock, {
      facts: { name: '王小明', email: 'kid@example.tw', age: 12 },
      applicant: { name: '王小明', account: 'kid@example.tw', mail: 'kid@example.tw' },
      accepted: [accepted],
      ...changes,
    })
  return { ...lent, applicant }
}

type Applicant = ReturnType<Awaited<ReturnType<typeof buildStep>>['applicant']>

/** What the guardian's page would send. */
async function decide(her: Applicant, fields: Fields): Promise<Fields> {
  const page = await her.showLink(elsewhere)
  return { seen: String(page?.seen), ...fields }
}

test('the applicant names her guardian, who is written to and decides', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  t.deepEqual(await her.show(), { asked: { name: '', relation: '', email: '' } })
  const asked = await her.submit(form)
  t.like(asked, { kind: 'waiting' })
  t.false('contact' in asked, 'the address is not hers')
  const params = { name: '王小明', lasts: 14 * 86_400 }
  t.deepEqual(sendingsIn(asked), [
    {
      letter: { kind: 'guardian', to: email, language: 'zh-TW', params },
      link: { purpose: 'guardian', validSeconds: 14 * 86_400 },
    },
  ])
  t.like(await her.show(), { waits: true, name: '王大明', to: 'm•••@example.tw', pause: 120 })
  t.like(await her.enter(), { kind: 'waiting' })
  t.deepEqual(await her.submit({}), again('joining.guardian.still'))

  t.like(await her.showLink(elsewhere), {
    applicant: { name: '王小明', account: 'kid@example.tw' },
    guardian: { name: '王大明', relation: '父親' },
    terms: [{ version: '2014-08-01', ...text }],
  })
  const fields = await decide(her, { decision: 'agree', name: ' 王大明 ' })
  const agreed = await her.useLink(fields, elsewhere, { address: '203.0.113.9' })
  t.like(agreed, {
    kind: 'done',
    facts: {
      'guardian.name': '王大明',
      'guardian.email': email,
      'guardian.relation': '父親',
      'guardian.agreed_at': clock.at,
      'guardian.address': '203.0.113.9',
      'guardian.same_browser': false,
    },
  })
  t.deepEqual(sendingsIn(agreed), [
    {
      letter: { kind: 'guardian-copy', to: email, language: 'zh-TW', params: { name: '王小明' } },
    },
    {
      letter: {
        kind: 'guardian-agreed',
        to: 'kid@example.tw',
        language: 'zh-TW',
        params: { lasts: 3 * 86_400 },
      },
      link: { purpose: 'resume', validSeconds: 3 * 86_400 },
    },
  ])
  t.false(her.isLinkGood())
  t.like(await her.show(), { agreed: true })
})

test('every slip is named at its field, and the applicant’s own addresses are none of a guardian’s', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant({ facts: { backup: 'Me@example.tw', 'upstream.email': 'k@school.tw' } })
  t.deepEqual(await her.submit({}), {
    kind: 'again',
    problems: [
      { field: 'guardian.name', problem: 'joining.guardian.no-name' },
      { field: 'guardian.relation', problem: 'joining.guardian.no-relation' },
      { field: 'guardian.email', problem: 'joining.guardian.no-email' },
    ],
  })
  for (const own of ['me@example.tw', 'ME+mama@example.tw', 'k@school.tw']) {
    const fields = { ...form, 'guardian.email': own, 'guardian.email_again': own }
    t.deepEqual(
      await her.submit(fields),
      again('joining.guardian.own-email', 'guardian.email'),
      own,
    )
  }
  t.deepEqual(
    await her.submit({ ...form, 'guardian.email_again': 'other@example.tw' }),
    again('joining.guardian.emails-differ', 'guardian.email_again'),
  )
})

test('who does not agree ends it, and needs no name for that', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.submit(form)
  const refused = { kind: 'refused', why: 'joining.guardian.refused' } as const
  t.deepEqual(await her.useLink({ decision: 'disagree' }, elsewhere), refused)
})

test('consent needs a choice, a name, and the applicant as she stood on the page', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.submit(form)
  const choose = again('joining.guardian.choose', 'decision')
  t.deepEqual(await her.useLink({ name: '王大明' }, elsewhere), choose)
  const sign = again('joining.guardian.sign', 'name')
  t.deepEqual(await her.useLink(await decide(her, { decision: 'agree' }), elsewhere), sign)
  const fields = await decide(her, { decision: 'agree', name: '王大明' })
  const sibling = { applicant: { name: '王小華', account: 'kid@example.tw' } }
  const changed = again('joining.guardian.changed')
  t.deepEqual(await her.useLink(fields, elsewhere, sibling), changed)
})

test('consent holds for who it was given for: another name asks again', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.submit(form)
  const agreed = await her.useLink(
    await decide(her, { decision: 'agree', name: '王大明' }),
    elsewhere,
  )
  const before = agreed?.kind === 'done' ? (agreed.facts ?? {}) : {}
  const memory = her.remembers()
  t.deepEqual(applicant({ memory, before }).known(), { facts: before })
  t.deepEqual(await applicant({ memory, before }).submit({}), { kind: 'done', facts: before })
  const sibling = applicant({
    memory,
    before,
    applicant: { name: '王小華', account: 'kid@example.tw' },
  })
  t.is(sibling.known(), undefined)
  t.like(await sibling.show(), { asked: { name: '王大明', email } })
})

test('in the applicant’s own browser a guardian may agree, and it is written down', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant()
  await her.submit(form)
  const fields = await decide(her, { decision: 'agree', name: '王大明' })
  const agreed = await her.useLink(fields, { ...elsewhere, sameBrowser: true })
  t.like(agreed, { facts: { 'guardian.same_browser': true } })
})

test('once more after 120 seconds; changing the address ends the link, and does not get round the pause', async (t) => {
  const { applicant, clock } = await buildStep(t)
  const her = applicant()
  await her.submit(form)
  const pause = again({ key: 'joining.mail-pause.seconds', params: { seconds: 119 } })
  clock.at += 1
  t.like(await her.submit({ action: 'resend' }), pause)
  t.deepEqual(lettersIn(await her.submit({ action: 'change' })), [])
  t.false(her.isLinkGood())
  t.deepEqual(await her.show(), { asked: { name: '王大明', relation: '父親', email } })
  t.like(await her.submit(form), pause)
  const other = {
    ...form,
    'guardian.email': 'mei@example.tw',
    'guardian.email_again': 'mei@example.tw',
  }
  t.like(await her.submit(other), { kind: 'waiting' })
  clock.at += 120
  const sent = await her.submit({ action: 'resend' })
  t.like(sent, { kind: 'again', problems: [], notice: 'joining.guardian.sent' })
  t.is(lettersIn(sent)[0]?.to, 'mei@example.tw')
})

test('a child without an address of her own hears nothing by mail, and her guardian still gets a copy', async (t) => {
  const { applicant } = await buildStep(t)
  const her = applicant({ applicant: { name: '王小明' } })
  await her.submit(form)
  const fields = await decide(her, { decision: 'agree', name: '王大明' })
  const kinds = lettersIn(await her.useLink(fields, elsewhere)).map(({ kind }) => kind)
  t.deepEqual(kinds, ['guardian-copy'])
})
