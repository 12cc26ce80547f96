/** What is known of an upstream, as its pages show it. */
import type { UpstreamDetail, UpstreamEvent, UpstreamItem } from '#admin/upstreams/shapes.ts'
import type { Passed } from '#admin/upstreams/stages.ts'
import type { Said, TestResult } from '#admin/upstreams/tests.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Message, Messages } from '#lib/messages.ts'
import { dateIn } from '../account/labels.ts'
import type { Fact, ShownState, ShownTest, UpstreamViews } from './upstreams-views.ts'

const words = 'admin.upstreams'
const soon = 30 * 24 * 60 * 60 * 1000

const tones: Record<string, ShownState['tone']> = {
  ok: 'good',
  on: 'good',
  slow: 'warn',
  off: 'warn',
  down: 'bad',
  relapse: 'bad',
}

/** Whether people can go there, else how it fares. */
export function stateOf({
  opening,
  state,
  relapsed,
  since,
}: Pick<UpstreamItem, 'opening' | 'state' | 'relapsed' | 'since'>): ShownState {
  if (opening !== 'open')
    return { key: `${words}.opening.${opening}`, tone: opening === 'off' ? 'warn' : 'none' }
  const is = state === 'down' && relapsed ? 'relapse' : (state ?? 'unheard')
  return { key: `${words}.state.${is}`, tone: tones[is] ?? 'none', since: dateIn(since) }
}

/** `soon`: within 30 days of `now`, in milliseconds. */
export const expiryOf = (moment: string | undefined, now: number) => {
  const at = dateIn(moment)
  return at && { at, soon: at.getTime() < now + soon }
}

/** The chart's height. */
const height = 40

type Days = UpstreamDetail['availability']['days']
const minutes = (seconds: number) => Math.ceil(seconds / 60)

/** `99.9`, and 100 only where nothing was amiss. */
export const percentOf = (share: number): string =>
  share === 1 ? '100' : (Math.floor(share * 1000) / 10).toFixed(1)

/** Each day with its bars for the chart, and minutes for the table beside it. */
export const daysOf = (days: Days): UpstreamViews['admin-upstream']['days'] =>
  days.map(({ day, known, slow, down, off }) => {
    const good = known - slow - down - off
    let y = height
    const bars = Object.entries({ ok: good, slow, down, off }).flatMap(([is, seconds]) => {
      if (seconds <= 0) return []
      // What lasted a moment is to be seen as well.
      const tall = Math.max(1, Math.round((seconds / known) * height))
      y -= tall
      return [{ is, y: Math.max(0, y), height: tall }]
    })
    return {
      day: new Date(`${day}T00:00:00+08:00`),
      share: known > 0 ? percentOf(1 - (down + off) / known) : undefined,
      slow: minutes(slow),
      down: minutes(down),
      off: minutes(off),
      bars,
    }
  })

/** `what` of an event in words. */
const eventKey = ({ kind, what }: UpstreamEvent): string =>
  ({
    state: `${words}.state.${what}`,
    switch: `${words}.history.${what}`,
    failure: `${words}.failure.${what}.what`,
  })[kind] ?? `${words}.state.unheard`

const stepKey = (stage: string): string => `${words}.step.${stage.replaceAll(' ', '-')}`

/** Where it failed; a call to an address of its file has the name it has there. */
function stepIn(language: string, stage: string | undefined, say: Messages): string | undefined {
  const key = stepKey(stage ?? '')
  return say.has(key) ? say.translate(language, key) : stage
}

/** One line of the history. */
export function eventOf(
  event: UpstreamEvent,
  say: Messages,
  language: string,
): UpstreamViews['admin-upstream']['events'][number] {
  const { at, what, kind, ref, errand, stage, status, by, reason } = event
  const history = (name: string, value: string | number | undefined): Message[] =>
    value === undefined ? [] : [{ key: `${words}.history.${name}`, params: { [name]: value } }]
  const errandKey = `${words}.errand.${errand}`
  return {
    at: new Date(at),
    whatKey: eventKey(event),
    tone: kind === 'failure' ? 'warn' : (tones[what] ?? 'none'),
    more: [
      ...(errand !== undefined && say.has(errandKey) ? [errandKey] : []),
      ...history('stage', stepIn(language, stage, say)),
      ...history('status', status),
      ...history('by', by),
      ...history('reason', reason),
      ...history('ref', ref),
    ],
  }
}

/** What its file says, in words; what it leaves out is left out. */
export function factsOf({ type, facts }: Pick<UpstreamDetail, 'type' | 'facts'>): Fact[] {
  const { profile, issuer, servers, former, linking, fingerprint, opens, closes } = facts
  const given = (name: string, value: string | undefined): Fact[] =>
    value ? [{ key: `${words}.facts.${name}`, value }] : []
  return [
    ...given('missing', facts.missing.join(', ')),
    ...given('contact', facts.contact),
    ...given('type', type),
    ...given('profile', profile),
    ...given('issuer', issuer),
    ...given('servers', servers.join(', ')),
    ...former.flatMap((one) => given('former', one)),
    { key: `${words}.facts.linking`, value: { key: `${words}.facts.linkings.${linking}` } },
    ...given('fingerprint', fingerprint),
    ...given('opens', opens),
    ...given('closes', closes),
    ...facts.quirks.flatMap((one) => given('quirks', one)),
  ]
}

const stageLabel = (stage: string, say: Messages): Message => {
  const key = `${words}.stage.${stage.replaceAll(' ', '-')}`
  if (say.has(key)) return key
  // A step before those that are listed: one a test seldom fails at.
  const step = stepKey(stage)
  return say.has(step) ? step : { key: `${words}.stage.call`, params: { name: stage } }
}

const passing: Record<Passed['is'], ShownTest['stages'][number]['is']> = {
  passed: 'passed',
  failed: 'not-passed',
  'not-reached': 'not-reached',
}

/** Direction marks and other letters nobody sees would let claims look like something else. */
const visible = (text: string): string =>
  text.replace(
    /[\p{Cf}\u2028\u2029]/gu,
    (letter) => `\\u${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )

/** `ab•••yz`: enough to tell two of them apart. */
const masked = (subject: string): string =>
  subject.length < 8 ? '•••' : `${subject.slice(0, 2)}•••${subject.slice(-2)}`

type Account = { account: 'yes' | 'no' | 'hidden'; accountPath?: string | undefined }

/** A test sign-in as its page shows it: who she would be, what was made of the claims, and the claims. */
export function testOf(
  result: TestResult,
  file: ConnectorConfig,
  account: Account,
  say: Messages,
): ShownTest {
  const shared = {
    away: (result.away / 1000).toFixed(1),
    took: result.took,
    stages: result.stages.map(({ stage, is }) => ({
      label: stageLabel(stage, say),
      is: passing[is],
    })),
  }
  if (result.kind === 'failed')
    return {
      ...shared,
      well: false,
      failureKey: `${words}.failure.${result.failure}`,
      why: result.why,
      made: [],
      affiliations: [],
      unread: [],
    }
  const { said } = result
  return {
    ...shared,
    well: true,
    who: {
      issuer: said.issuer,
      subject: visible(said.subject),
      masked: masked(said.subject),
      facts: whoOf(said, file),
      ...account,
    },
    raw: visible(said.raw),
    made: madeOf(said),
    affiliations: said.affiliations.map(({ schoolCode, schoolName, role, titles, classes }) => ({
      school: [schoolName, schoolCode].filter(Boolean).join(' '),
      roleKey: `role.${role}`,
      titles: titles.join('、'),
      classes: classes
        .map(({ year, semester, grade, classNo, classTitle, seatNo }) =>
          [year, semester, grade, classNo, classTitle, seatNo].filter(Boolean).join('-'),
        )
        .join(', '),
    })),
    unread: said.unread,
  }
}

function whoOf(said: Said, { fingerprint }: ConnectorConfig): Fact[] {
  const trial = `${words}.trial`
  const inWords = (name: string, key: string): Fact => ({
    key: `${trial}.${name}`,
    value: { key: `${trial}.${key}` },
  })
  const fingerprintKey = said.fingerprint ? 'yes' : fingerprint === undefined ? 'none' : 'no'
  const proof = [
    said.acr,
    said.amr?.join(' '),
    said.authTime === undefined ? undefined : new Date(said.authTime * 1000).toISOString(),
  ]
    .filter(Boolean)
    .join(', ')
  return [
    ...said.former.map(({ issuer, subject }) => ({
      key: `${trial}.former`,
      value: `${issuer} ${masked(subject)}`,
    })),
    ...said.openid2Ids.map((one) => ({ key: `${trial}.openid2`, value: masked(one) })),
    inWords('fingerprint', `fingerprint-${fingerprintKey}`),
    inWords('session', said.session.named ? 'session-named' : 'session-unnamed'),
    ...(said.session.signsOut ? [inWords('session', 'signs-out')] : []),
    ...(proof ? [{ key: `${trial}.authentication`, value: proof }] : []),
  ]
}

/** Our names for what a profile may say, as the pages about an account have them. */
const attributes = {
  name: 'name',
  givenName: 'given_name',
  familyName: 'family_name',
  nickname: 'nickname',
  preferredUsername: 'preferred_username',
  email: 'email',
  gender: 'gender',
} as const

function madeOf({ profile }: Said): Fact[] {
  return Object.entries(attributes).flatMap(([name, claim]) => {
    const value = profile[name as keyof typeof attributes]
    return value === undefined ? [] : [{ key: `claim.${claim}`, value }]
  })
}
