/** The pages of joining with made-up data: every step, fresh and with something to mend. */
import type { Views } from '#http/render.ts'
import {
  formProblems,
  formScreen,
  formScreenAgain,
  formScreenKept,
  formTyped,
} from './form-fixtures.ts'
import { mailStepFixtures } from './mail-step-fixtures.ts'

type Lang = 'zh-TW' | 'en'
type Of<V extends keyof Views> = { name: string; view: V; locals: Views[V] }
export type JoiningFixture =
  | Of<'join'>
  | Of<'joining'>
  | Of<'joined'>
  | Of<'joining-link'>
  | Of<'joining-link-done'>
  | Of<'joining-later'>
  | Of<'joining-resume'>

const formToken = 'token-of-this-form'
const words = (zh: string, en: string) => ({ 'zh-TW': zh, en })

export function joiningFixtures(lang: Lang, app: string): JoiningFixture[] {
  const zh = lang === 'zh-TW'
  const enrolment = zh ? '教育雲會員註冊' : 'Join the Edu Cloud'
  const step = (
    type: string,
    heading: string,
    screen: Record<string, unknown>,
    more: Partial<Views['joining']> = {},
  ): Of<'joining'> => ({
    name: `joining-${type}${more.problems ? '-problem' : ''}`,
    view: 'joining',
    locals: {
      enrolment,
      heading,
      step: { id: type, type },
      progress: { at: 2, of: 6 },
      screen,
      scripts: [],
      multipart: false,
      waits: false,
      problems: [],
      typed: {},
      version: 3,
      formToken,
      action: `/joining/1b4e28ba/${type}`,
      here: '/joining/1b4e28ba',
      later: '/joining/1b4e28ba/later',
      back: '/joining/1b4e28ba/terms',
      ...more,
    },
  })
  const terms = {
    id: 'educloud',
    version: '2014-08-01',
    title: zh ? '教育雲會員註冊同意書' : 'Edu Cloud membership agreement',
    html: `<p>${'條款內容。'.repeat(400)}</p>`,
    hash: 'a'.repeat(43),
  }
  const options = [
    {
      value: 'school',
      label: words('教師、職員、學生', 'Teacher, staff or student'),
      hint: words('擁有各縣市教育局 Open ID 之使用者', 'You have an Open ID of your county'),
    },
    { value: 'other', label: words('其他（家長、社會人士）', 'Other (parent, general public)') },
  ]
  const counties = {
    connectors: [
      { id: 'kl', label: words('基隆市', 'Keelung City'), keywords: [], connected: true },
      { id: 'tp', label: words('臺北市', 'Taipei City'), keywords: [], connected: false },
    ],
  }
  const captcha = { challenge: '{}', ticket: '1795680020.now', seconds: 20 }
  const captchaMore = { scripts: ['proof-of-work.js'] }
  const choose = zh ? '選擇註冊身分' : 'Choose what you join as'
  const fillIn = zh ? '教師／職員／學生 會員註冊' : 'Registration of teachers, staff and students'
  const formMore = { multipart: true, scripts: ['joining.js', 'show-password.js'] }
  const lines = [
    { step: 'kind', label: words('身分', 'Joining as'), value: words('其他', 'Other') },
    { step: 'form', label: words('姓名', 'Name'), value: { text: '王<b>小明' } },
  ]
  return [
    {
      name: 'join',
      view: 'join',
      locals: {
        formToken,
        offers: [
          { href: '/join/member', title: enrolment, summary: 'x' },
          { href: '/join/organisation', title: zh ? '機關團體' : 'Organisations' },
        ],
        started: {
          href: '/joining/1b4e28ba',
          discard: '/joining/1b4e28ba/discard',
          title: enrolment,
          at: new Date(0),
        },
      },
    },
    { name: 'join-none', view: 'join', locals: { offers: [], formToken } },
    step('agreement', terms.title, { terms }, { app: { name: app, host: 'pal.example.edu.tw' } }),
    step(
      'agreement',
      terms.title,
      { terms },
      { problems: [{ field: 'agree', problem: 'joining.agreement.tick' }] },
    ),
    step('choice', choose, { fact: 'kind', options, chosen: 'other' }),
    step(
      'choice',
      choose,
      { fact: 'kind', options },
      { problems: [{ field: 'kind', problem: 'joining.choice.none' }] },
    ),
    step('upstream', zh ? '選擇 Open ID' : 'Choose your Open ID', counties),
    step('upstream', zh ? '選擇 Open ID' : 'Choose your Open ID', counties, {
      problems: [{ field: 'connector', problem: 'sign-in.choose-county' }],
      notice: 'joining.changed',
    }),
    step('form', fillIn, formScreen, { ...formMore, check: '/joining/1b4e28ba/data/check' }),
    step('form', fillIn, formScreenKept, { ...formMore, problems: formProblems, typed: formTyped }),
    { ...step('form', fillIn, formScreenAgain, formMore), name: 'joining-form-again' },
    ...mailStepFixtures(step, { zh, enrolment, html: terms.html }),
    step(
      'captcha',
      zh ? '確認您不是機器人' : 'Show that you are not a robot',
      captcha,
      captchaMore,
    ),
    step('captcha', zh ? '確認您不是機器人' : 'Show that you are not a robot', captcha, {
      ...captchaMore,
      problems: [
        { field: 'proof', problem: { key: 'joining.captcha.wait', params: { seconds: 12 } } },
      ],
      typed: { proof: '', ticket: '1795680000.before' },
    }),
    step('summary', zh ? '確定送出？' : 'Send this?', { lines }),
    {
      name: 'joined',
      view: 'joined',
      locals: {
        enrolment,
        text: zh ? '您已經是教育雲會員。' : 'You are a member.',
        refused: false,
        formToken,
        action: '/joining/1b4e28ba/enter',
      },
    },
    {
      name: 'joined-for-app',
      view: 'joined',
      locals: {
        enrolment,
        refused: false,
        app: { name: app, host: 'pal.example.edu.tw' },
        formToken,
        action: '/joining/1b4e28ba/enter',
      },
    },
    {
      name: 'joined-refused',
      view: 'joined',
      locals: { enrolment, refused: true, formToken, action: '/joining/1b4e28ba/enter' },
    },
    {
      name: 'joining-link-done',
      view: 'joining-link-done',
      locals: { purpose: 'activate', came: 'account' },
    },
    {
      name: 'joining-link-denied',
      view: 'joining-link-done',
      locals: { purpose: 'activate', came: 'end' },
    },
    {
      name: 'joining-link-guardian-done',
      view: 'joining-link-done',
      locals: { purpose: 'guardian', came: 'answer' },
    },
    {
      name: 'joining-later',
      view: 'joining-later',
      locals: {
        address: 'wang@example.tw',
        days: 7,
        formToken,
        action: '/joining/1b4e28ba/later',
        back: '/joining/1b4e28ba',
      },
    },
    {
      name: 'joining-later-problem',
      view: 'joining-later',
      locals: {
        problem: 'joining.later.no-address',
        address: 'wang',
        days: 7,
        formToken,
        action: '/joining/1b4e28ba/later',
        back: '/joining/1b4e28ba',
      },
    },
    {
      name: 'joining-resume',
      view: 'joining-resume',
      locals: { enrolment, formToken, action: '/joining/resume/token' },
    },
  ]
}
