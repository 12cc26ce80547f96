/** A member's own pages with made-up data. */
import type { AccountViews, MemberPage } from '#http/account-views.ts'
import type { Fixture } from './fixtures.ts'

const common: MemberPage = { formToken: 'token-of-this-form', member: 'whose-form' }
const day = (text: string) => new Date(`${text}T01:30:00Z`)

/** All of them in one language. `app` is the name an app gave itself. */
export function accountFixtures(lang: string, app: string): Fixture[] {
  const county = lang === 'zh-TW' ? '新北市' : 'New Taipei City'
  const schools = [
    { school: '新北市立示範國民中學', roleKey: 'role.teacher', titles: ['教師', '設備組長'] },
    { school: '新北市立範例國民小學', roleKey: 'role.parent', titles: [] },
  ]
  const overview: AccountViews['account'] = {
    ...common,
    account: {
      name: '林小美',
      picture: true,
      identifiers: ['mei@mail.edu.tw'],
      email: 'mei@mail.edu.tw',
      recovery: 'mei@example.com',
    },
    attention: ['unconfirmed'],
    lastSignIn: { at: day('2026-11-19'), way: 'account.way.password' },
    affiliations: schools.map((one, index) => ({
      ...one,
      classes: index === 0 ? ['七年三班', '八年一班'] : [],
      source: county,
      readAt: day('2026-11-20'),
      stale: index === 1,
    })),
    apps: [
      { clientId: 'pal', name: app, affiliation: '新北市立示範國民中學 · 教師' },
      { clientId: 'library', name: 'Digital Library' },
    ],
    moreApps: 3,
    actions: { forget: '/account/forget', signOut: '/session/end' },
  }
  const profile: AccountViews['account-profile'] = {
    ...common,
    name: '林小美',
    fields: [
      {
        field: 'name',
        value: '林小美',
        lockedBy: { key: 'account.profile.vouched', params: { county } },
      },
      { field: 'nickname', value: '小美' },
      { field: 'title', value: '' },
      { field: 'phone_number', value: '+886212345678;ext=123' },
      { field: 'gender', value: 'female' },
    ],
    genders: ['female', 'male', 'other'],
    version: 'v',
    picture: false,
    actions: {
      save: '/account/profile',
      picture: '/account/picture',
      removePicture: '/account/picture/remove',
    },
  }
  const password: AccountViews['account-password'] = {
    ...common,
    account: 'mei@mail.edu.tw',
    known: true,
    shortest: 10,
    problems: {},
    action: '/account/password',
  }
  const email: AccountViews['account-email'] = {
    ...common,
    typed: { address: '', again: '' },
    problems: {},
    actions: {
      change: '/account/email',
      resend: '/account/email/resend',
      cancel: '/account/email/cancel',
    },
  }
  const confirm: Omit<AccountViews['account-email-confirm'], 'kind'> = {
    formToken: common.formToken,
    address: 'mei@example.com',
    action: '/account/email/confirm/x',
  }
  const identities: AccountViews['account-identities'] = {
    ...common,
    identities: [
      {
        id: 'one',
        label: county,
        linkedAt: day('2026-01-02'),
        usedAt: day('2026-11-20'),
        last: false,
      },
    ],
    connectors: [
      { id: 'ntpc', label: county, keywords: [], connected: true },
      { id: 'km', label: '金門縣', keywords: [], connected: false },
    ],
    actions: {
      link: '/account/identities/link',
      unlink: '/account/identities/unlink',
      merge: '/account/merge',
    },
  }
  const merge: AccountViews['account-merge'] = {
    ...common,
    account: '',
    connectors: identities.connectors,
    actions: { password: '/account/merge/password', county: '/account/merge/county' },
  }
  const side = {
    name: '林•美',
    names: ['m•••@mail.edu.tw'],
    counties: [],
    schools: [],
    createdAt: day('2024-09-01'),
    password: true,
    sub: '7b7c9d0e-5f3a-4c1b-9a57-0f6f8f1e2d3c',
  }
  const joining: AccountViews['account-merge-confirm'] = {
    ...common,
    merge: 'one',
    kept: side,
    merged: {
      ...side,
      names: [],
      counties: [county, '金門縣'],
      schools: ['新北市立示範國民中學'],
      password: false,
      sub: '0f6f8f1e-2d3c-4c1b-9a57-7b7c9d0e5f3a',
    },
    apps: [app, 'Digital Library'],
    action: '/account/merge/confirm',
  }
  const signIn = { at: day('2026-11-20'), app, network: '203.0.113.0', right: true }
  const close: AccountViews['account-close'] = {
    ...common,
    phrase: 'mei@mail.edu.tw',
    typed: '',
    graceDays: 30,
    action: '/account/close',
  }

  return [
    { name: 'account', view: 'account', locals: overview },
    {
      name: 'account-new',
      view: 'account',
      locals: {
        ...overview,
        account: { name: '', picture: false, identifiers: ['new@mail.edu.tw'] },
        attention: ['no-recovery'],
        lastSignIn: undefined,
        affiliations: [],
        apps: [],
        moreApps: 0,
      },
    },
    { name: 'account-profile', view: 'account-profile', locals: profile },
    {
      name: 'account-profile-wrong',
      view: 'account-profile',
      locals: {
        ...profile,
        picture: true,
        pictureProblem: 'account.picture.too-large',
        fields: [
          { field: 'name', value: '', problem: 'account.fields.name.empty' },
          {
            field: 'phone_number',
            value: '12',
            problem: 'account.fields.phone_number.wrong',
          },
          { field: 'gender', value: 'x', problem: 'account.fields.gender.wrong' },
        ],
        notice: 'account.profile.changed-meanwhile',
      },
    },
    { name: 'account-password', view: 'account-password', locals: password },
    {
      name: 'account-password-wrong',
      view: 'account-password',
      locals: {
        ...password,
        problems: {
          current: {
            key: 'account.password.current-wrong-wait.minutes',
            params: { minutes: 15 },
          },
          password: 'password.common',
          again: 'account.password.differs',
        },
      },
    },
    {
      name: 'account-password-set',
      view: 'account-password',
      locals: { ...password, known: false },
    },
    {
      name: 'account-password-none',
      view: 'account-password',
      locals: { ...password, known: false, account: undefined },
    },
    { name: 'account-email', view: 'account-email', locals: email },
    {
      name: 'account-email-waiting',
      view: 'account-email',
      locals: {
        ...email,
        current: { address: 'mei@example.com', confirmed: false },
        waiting: { address: 'mei@example.org', sentAt: day('2026-11-21'), resendIn: 87 },
        typed: { address: 'x', again: 'y' },
        problems: { address: 'account.email.address-wrong', again: 'account.email.differs' },
        notice: 'account.done.letter',
      },
    },
    ...(['open', 'used', 'expired', 'unknown'] as const).map(
      (kind): Fixture => ({
        name: `account-email-confirm-${kind}`,
        view: 'account-email-confirm',
        locals: { ...confirm, kind },
      }),
    ),
    { name: 'account-identities', view: 'account-identities', locals: identities },
    {
      name: 'account-identities-last',
      view: 'account-identities',
      locals: {
        ...identities,
        identities: identities.identities.map((one) => ({ ...one, last: true })),
        problem: 'sign-in.choose-county',
      },
    },
    {
      name: 'account-identities-none',
      view: 'account-identities',
      locals: { ...identities, identities: [], notice: 'account.done.unlinked' },
    },
    { name: 'account-merge', view: 'account-merge', locals: merge },
    {
      name: 'account-merge-wrong',
      view: 'account-merge',
      locals: {
        ...merge,
        account: 'mei',
        problem: { key: 'account.merge.wrong-wait.minutes', params: { minutes: 15 } },
        notice: 'account.done.merge-over',
      },
    },
    {
      name: 'account-merge-county',
      view: 'account-merge',
      locals: { ...merge, countyProblem: 'sign-in.choose-county' },
    },
    { name: 'account-merge-confirm', view: 'account-merge-confirm', locals: joining },
    {
      name: 'account-merge-confirm-bare',
      view: 'account-merge-confirm',
      locals: { ...joining, kept: { ...side, name: '', password: false }, apps: [] },
    },
    {
      name: 'account-sessions',
      view: 'account-sessions',
      locals: {
        ...common,
        sessions: [
          {
            uid: 'a',
            current: true,
            agent: 'Chrome · Windows',
            network: '203.0.113.0',
            signedInAt: day('2026-11-21'),
            lastSeenAt: day('2026-11-21'),
            wayKey: 'account.way.password',
            both: true,
            apps: [app],
          },
          {
            uid: 'b',
            current: false,
            signedInAt: day('2026-11-20'),
            wayKey: 'account.way.county',
            both: false,
            apps: [],
          },
        ],
        actions: { end: '/account/sessions/end', endOthers: '/account/sessions/end-others' },
      },
    },
    {
      name: 'account-apps',
      view: 'account-apps',
      locals: {
        ...common,
        apps: [
          {
            clientId: 'pal',
            name: app,
            host: 'pal.example.edu.tw',
            firstParty: false,
            since: day('2026-11-20'),
            sees: [
              { key: 'scope.profile.title' },
              { key: 'claim.birthdate', word: 'birthdate' },
              { key: 'claim.no_such_claim', word: 'no_such_claim' },
              { word: 'learning:read' },
            ],
            affiliation: '新北市立示範國民中學 · 教師',
          },
          { clientId: 'own', name: 'Own', host: '', firstParty: true, sees: [] },
          { clientId: 'bare', name: 'Bare', host: 'bare.example', firstParty: false, sees: [] },
        ],
        actions: { forget: '/account/apps/forget', withdraw: '/account/apps/withdraw' },
      },
    },
    {
      name: 'account-apps-none',
      view: 'account-apps',
      locals: { ...common, apps: [], actions: { forget: '/f', withdraw: '/w' } },
    },
    {
      name: 'account-history',
      view: 'account-history',
      locals: {
        ...common,
        signIns: [
          { ...signIn, way: 'account.way.password' },
          {
            ...signIn,
            way: { key: 'account.way.upstream', params: { county } },
            network: '',
            right: false,
          },
        ],
        merges: [
          { id: 'case-1', what: 'account.history.merge.kept', at: day('2026-11-02') },
          {
            id: 'case-2',
            what: 'account.history.merge.merged',
            at: day('2026-10-01'),
            undoneAt: day('2026-10-03'),
          },
        ],
        older: '/account/history?after=x',
        newest: '/account/history',
      },
    },
    {
      name: 'account-history-none',
      view: 'account-history',
      locals: { ...common, signIns: [], merges: [] },
    },
    { name: 'account-export', view: 'account-export', locals: { ...common, action: '/x' } },
    { name: 'account-close', view: 'account-close', locals: close },
    {
      name: 'account-close-wrong',
      view: 'account-close',
      locals: { ...close, typed: 'no', problem: 'account.close.wrong' },
    },
    {
      name: 'account-closed',
      view: 'account-closed',
      locals: { graceDays: 30, signIn: '/account' },
    },
  ]
}
