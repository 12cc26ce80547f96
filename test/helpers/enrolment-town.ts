/** The real engine of joining on a database of one's own, and those who meet there. */
import type { ExecutionContext } from 'ava'
import { parse } from 'node-html-parser'
import { type EnrolmentRules, enrolmentFile } from '#config/enrolment.ts'
import { type Enrolments, openEnrolments } from '#enrolment/engine.ts'
import type { Joining, Visitor } from '#enrolment/joinings.ts'
import type { StepPorts } from '#enrolment/step-ports.ts'
import { openSteps } from '#enrolment/steps.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Mail } from '#lib/mail.ts'
import { openLetters } from '#outside/letters.ts'
import type { LinkPurpose } from '#store/store.ts'
import { messages, viewsDir } from '../views/site.ts'
import { lendSteps } from './step-ports.ts'

export const words = (text: string) => ({ 'zh-TW': text, en: text })

export const field = (id: string, type: string, more: object = {}) => ({
  id,
  type,
  label: words(id),
  ...more,
})

/** As in a file, with what most tests do not care about. */
export const rulesOf = (given: {
  id: string
  steps: object[]
  creates?: object
  entry?: object
}): EnrolmentRules =>
  enrolmentFile.parse({ title: words(given.id), entry: { visitor: {} }, ...given })

const issuer = 'https://id.example'
export const secret = 'correct horse battery'
const key = Buffer.alloc(32, 2)

export const visitor = (device: string, source = '192.0.2.7'): Visitor => ({
  device,
  language: 'zh-TW',
  address: source,
  ref: 'K7Q2-9FMX',
  source: { name: source, factor: 1 },
})
export const her = visitor('her computer')
export const phone = visitor('her telephone', '198.51.100.2')
export const stranger = visitor('a stranger’s computer', '203.0.113.3')

export const identityOf = (
  subject: string,
  profile: UpstreamIdentity['profile'] = {},
): UpstreamIdentity => ({
  connector: 'ntpc',
  issuer: 'https://openid.ntpc.example',
  subject,
  openid2Ids: [],
  profile,
  affiliations: [],
  raw: {},
})

export async function buildTown(
  t: ExecutionContext,
  rules: EnrolmentRules[],
  changes: Partial<StepPorts> = {},
) {
  const lent = await lendSteps(t)
  const { store, clock } = lent
  store.beginAudit(Buffer.alloc(32, 7))
  store.beginOutbox(Buffer.alloc(32, 8))
  let codes = 100_000
  const ports = { ...lent.ports, randomCode: () => String(++codes), ...changes }
  const site = { title: { 'zh-TW': '教育雲', en: 'Edu Cloud' } }
  const writeLetter = openLetters({ viewsDir, messages, site, issuer })
  const linkUrl = (purpose: LinkPurpose, token: string) => `${issuer}/${purpose}/${token}`

  /** Another process, or the same one after a restart. */
  const openEngine = (current: EnrolmentRules[]): Enrolments =>
    openEnrolments({
      store,
      now: () => clock.at * 1000,
      counters: ports.counters,
      rules: current,
      draftKey: key,
      contactKey: key,
      numberKey: key,
      numberDigestKey: key,
      confirmation: {
        dataKey: key,
        writeLetter,
        linkTo: (token) => linkUrl('confirm-address', token),
      },
      writeLetter,
      linkUrl,
      steps: openSteps(ports),
    })
  const engine = openEngine(rules)

  /** Mails that wait, oldest first; each is given out once. */
  async function mails(): Promise<Mail[]> {
    const taken: Mail[] = []
    for (const { id } of (await store.outbox.list()).reverse()) {
      const message = await store.outbox.take(id, { at: clock.at, until: clock.at + 60 })
      if (message && (await store.outbox.drop(id))) taken.push(message.payload as Mail)
    }
    return taken
  }
  const accountOf = async (address: string) =>
    (await store.identifiers.find('email', address))?.accountId
  const events = async (action: string) => store.auditReads.list({ limit: 100, action })

  async function open(application: string, who: Visitor): Promise<Joining> {
    const found = await engine.find(application, who.device)
    if (found.kind !== 'found') throw new Error(found.kind)
    return found
  }

  /** What a page's form sends. */
  async function send(
    application: string,
    step: string,
    fields: Record<string, string>,
    who = her,
    joining?: Joining,
  ) {
    const now = joining ?? (await open(application, who))
    const { version } = now.row
    return engine.submit(now, { step, version, input: { fields, files: {} } }, who)
  }

  async function begin(
    enrolment: string,
    fields: Record<string, string>,
    who = her,
  ): Promise<string> {
    const submitted = await engine.start(enrolment, { fields, files: {} }, who, {})
    if (submitted?.kind !== 'next') throw new Error(JSON.stringify(submitted))
    return submitted.application
  }

  /** The step that is asked now. */
  const stepOf = async (application: string, who = her): Promise<string | undefined> =>
    (await engine.show(await open(application, who), undefined, who))?.step.id

  return { ...lent, ports, engine, openEngine, mails, accountOf, events, open, send, begin, stepOf }
}

export const tokenIn = ([mail]: Mail[]): string => {
  const link = parse(mail?.html ?? '')
    .querySelector('a')
    ?.getAttribute('href')
  return link?.slice(link.lastIndexOf('/') + 1) ?? ''
}

export const codeIn = ([mail]: Mail[]): string =>
  parse(mail?.html ?? '').querySelector('.code')?.text ?? ''
