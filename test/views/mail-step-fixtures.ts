/** The steps that write to somebody, and the pages behind their links, with made-up data. */
import type { Views } from '#http/render.ts'
import type { JoiningFixture } from './joining-fixtures.ts'

type Joining = Extract<JoiningFixture, { view: 'joining' }>
type MakeStep = (
  type: string,
  heading: string,
  screen: Record<string, unknown>,
  more?: Partial<Views['joining']>,
) => Joining

export function mailStepFixtures(
  step: MakeStep,
  { zh, enrolment, html }: { zh: boolean; enrolment: string; html: string },
): JoiningFixture[] {
  const scripts = ['countdown.js']
  const to = 'w•••@example.tw'
  const named = <F extends JoiningFixture>(name: string, fixture: F): F => ({ ...fixture, name })

  const code = zh ? '驗證電子信箱' : 'Confirm your e-mail'
  const asks = { field: 'email', address: '', to, sent: false, sentBefore: false, proven: false }
  const asked = { ...asks, address: 'wang@example.tw', sent: true, sentBefore: true, pause: 96 }
  const held = { key: 'joining.mail-held.minutes', params: { minutes: 12 } }
  const wrong = { key: 'joining.email-code.wrong', params: { left: 3 } }
  const mailed = { to, sent: true, pause: 96, minutes: 10 }

  const activate = zh ? '請收信啟用帳號' : 'Look into your mailbox'
  const guardian = zh ? '法定代理人同意' : 'A guardian’s consent'
  const her = { name: '王大明', relation: zh ? '父親' : 'father', email: 'ming@example.tw' }
  const waits = { scripts, waits: true }
  const link = (
    name: string,
    type: string,
    screen: Record<string, unknown>,
    more: Partial<Views['joining-link']> = {},
  ): JoiningFixture => ({
    name,
    view: 'joining-link',
    locals: {
      purpose: type === 'guardian' ? 'guardian' : 'activate',
      enrolment,
      heading: type === 'guardian' ? guardian : zh ? '啟用您的帳號' : 'Activate your account',
      step: { id: type, type },
      screen,
      scripts: [],
      problems: [],
      typed: {},
      formToken: 'token-of-this-form',
      action: '/joining/activate/token',
      ...more,
    },
  })
  const elsewhere = { account: 'wang@example.tw', sameBrowser: false, asks: true }
  const consent = {
    applicant: { name: '王小明', account: 'wang@example.tw' },
    guardian: her,
    terms: [{ version: '2014-08-01', title: enrolment, html, hash: 'x' }],
    seen: 'x',
  }

  return [
    step('email-code', code, { ...asks, pause: 0, minutes: 10 }, { scripts }),
    named(
      'joining-email-code-sent',
      step('email-code', code, { ...asked, minutes: 10 }, { scripts }),
    ),
    step('email-code', code, mailed, { scripts, problems: [{ field: 'code', problem: wrong }] }),
    named('joining-email-code-held', step('email-code', code, { to, held, pause: 0, minutes: 10 })),
    named('joining-email-code-proven', step('email-code', code, { to, proven: true, minutes: 10 })),
    step('email-link', activate, { to, hours: 72, pause: 96, sent: true }, waits),
    step(
      'email-link',
      activate,
      { to, hours: 72, pause: 0, held },
      { ...waits, problems: [{ problem: 'joining.email-link.still' }] },
    ),
    step('guardian', guardian, { asked: { name: '', relation: '', email: '' } }),
    step(
      'guardian',
      guardian,
      { asked: her },
      {
        typed: { 'guardian.name': '王<b>大明' },
        problems: [
          { field: 'guardian.relation', problem: 'joining.guardian.no-relation' },
          { field: 'guardian.email_again', problem: 'joining.guardian.emails-differ' },
        ],
      },
    ),
    named(
      'joining-guardian-waits',
      step('guardian', guardian, { waits: true, name: her.name, to, days: 14, pause: 96 }, waits),
    ),
    named('joining-guardian-agreed', step('guardian', guardian, { agreed: true, name: her.name })),
    link('joining-link-activate', 'email-link', { ...elsewhere, sameBrowser: true, asks: false }),
    link('joining-link-elsewhere', 'email-link', elsewhere),
    link('joining-link-wrong', 'email-link', elsewhere, {
      problems: [
        { field: 'password', problem: { key: 'joining.email-link.wrong', params: { left: 4 } } },
      ],
    }),
    link('joining-link-only-there', 'email-link', { ...elsewhere, asks: false }),
    link('joining-link-guardian', 'guardian', consent),
    link('joining-link-guardian-problem', 'guardian', consent, {
      typed: { decision: 'agree', name: '' },
      problems: [
        { field: 'name', problem: 'joining.guardian.sign' },
        { field: 'decision', problem: 'joining.guardian.choose' },
      ],
    }),
  ]
}
