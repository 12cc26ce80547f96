/** Applications in hand: read from their rows with the rules they began with, and saved back whole. */
import { randomUUID } from 'node:crypto'
import type { Counters } from '#accounts/counters.ts'
import { queueMail } from '#accounts/mail.ts'
import { makeLink } from '#accounts/mailed-link.ts'
import { type EnrolmentRules, enrolmentFile } from '#config/enrolment.ts'
import type { Language } from '#config/words.ts'
import { hmac, sha256 } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { day, type Now, seconds } from '#lib/time.ts'
import type { ApplicationRow, Circumstances, LinkPurpose, Store, Tables } from '#store/store.ts'
import { type Door, type Draft, openDraft, sealDraft } from './draft.ts'
import type { Sending } from './step.ts'

/** Who acts, as far as a request tells. */
export type Visitor = Circumstances & {
  /** SHA-256 of the device cookie. */
  device: string
  language: Language
  /** The address as limits count it. */
  source: { name: string; factor: number }
}

export type Joining = { row: ApplicationRow; rules: EnrolmentRules; draft: Draft }

export type Found =
  | ({ kind: 'found' } & Joining)
  | { kind: 'unknown' | 'expired' | 'other-browser' }

/** What goes with a save, in its transaction. */
export type Doing = {
  state?: ApplicationRow['state']
  /** The address that must be answered from. */
  contact?: string
  /** It belongs to another browser from now on. */
  device?: string
  accountId?: string
  /** Somebody used a link that was mailed: whether by that the applicant herself proves who she is. */
  link?: { proves: boolean }
  /** Letters, with the steps that send them. */
  send?: { step: string; sending: Sending }[]
  also?: (tables: Tables) => Promise<void>
}

export type JoiningPorts = {
  store: Store
  now: Now
  counters: Counters
  rules: EnrolmentRules[]
  /** Seals drafts. */
  draftKey: Buffer
  /** Under it the address of a waiting application is found again. */
  contactKey: Buffer
  writeLetter: WriteLetter
  /** Absolute. */
  linkUrl: (purpose: LinkPurpose, token: string) => string
}

export type Joinings = ReturnType<typeof openJoinings>

/** Thrown out of a transaction: somebody saved the application in between, or used the link. */
export const lostRace = Symbol('somebody was faster')

/** Changing something else leaves who waits for her mail waiting. */
export const stateOf = ({ state }: ApplicationRow): 'waiting' | 'open' =>
  state === 'waiting' ? state : 'open'

const mostTries = 10

/** Does it again when somebody saved the application meanwhile: `work` reads it anew each time. */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (error !== lostRace || tries === mostTries) throw error
    }
  }
}

const hashOf = (rules: EnrolmentRules) => sha256(JSON.stringify(rules))

export function openJoinings(ports: JoiningPorts) {
  const { store, now, draftKey, contactKey, writeLetter, linkUrl } = ports
  const current = new Map(ports.rules.map((rules) => [hashOf(rules), rules]))

  /** Rules of another day, in the form this release knows; nothing for what it does not understand any more. */
  async function findRules(hash: string): Promise<EnrolmentRules | undefined> {
    const known = current.get(hash)
    if (known) return known
    const kept = await store.applications.findRules(hash)
    if (!kept) throw new Error('the rules an application began with were not kept')
    const { data } = enrolmentFile.safeParse(JSON.parse(kept))
    if (data) current.set(hash, data)
    return data
  }

  /** Nothing for one that cannot go on in this release. */
  async function read(row: ApplicationRow): Promise<Joining | undefined> {
    const rules = await findRules(row.rules)
    return rules && { row, rules, draft: openDraft(draftKey, row) }
  }

  const isOver = ({ state }: Pick<ApplicationRow, 'state'>) =>
    state !== 'open' && state !== 'waiting'

  async function send(tables: Tables, row: ApplicationRow, doing: Doing, at: number) {
    for (const { step, sending } of doing.send ?? []) {
      const link = 'link' in sending ? sending.link : 'blank' in sending && sending.blank
      const token = link ? await makeLink(tables, { ...link, subject: row.id, at }, () => step) : ''
      const letter =
        'link' in sending
          ? { ...sending.letter, link: linkUrl(sending.link.purpose, token) }
          : sending.letter
      await queueMail(tables, writeLetter(letter), { at })
    }
  }

  return {
    read,
    isOver,
    contactOf: (address: string) => hmac(contactKey, address.toLowerCase()),

    /** The application a mailed link leads to, and what the link remembers. Undefined for one that is not good. */
    async ofLink(purpose: LinkPurpose, token: string) {
      const at = seconds(now)
      const link = await store.mailLinks.find(sha256(token), purpose)
      if (!link || link.usedAt !== undefined || link.expiresAt <= at) return undefined
      const row = await store.applications.find(link.subject)
      if (!row || isOver(row) || row.expiresAt <= at) return undefined
      const joining = await read(row)
      return joining && { joining, memo: link.memo }
    },

    /** The application, if it is this browser's. */
    async find(id: string, device: string): Promise<Found> {
      const row = await store.applications.find(id)
      if (!row) return { kind: 'unknown' }
      if (row.device !== device) return { kind: 'other-browser' }
      if (!isOver(row) && row.expiresAt <= seconds(now)) return { kind: 'expired' }
      const joining = await read(row)
      return joining ? { kind: 'found', ...joining } : { kind: 'expired' }
    },

    /** Of no row yet: version 0. */
    make(
      rules: EnrolmentRules,
      door: Door,
      visitor: Visitor,
      more: { interaction?: string; accountId?: string } = {},
    ): Joining {
      const at = seconds(now)
      const { interaction, accountId } = more
      return {
        row: {
          id: randomUUID(),
          enrolment: rules.id,
          rules: hashOf(rules),
          state: 'open',
          device: visitor.device,
          ...(accountId ? { accountId } : {}),
          draft: '',
          version: 0,
          createdAt: at,
          updatedAt: at,
          expiresAt: at + rules.expires_days * day,
        },
        rules,
        draft: {
          door,
          language: visitor.language,
          ...(interaction ? { interaction } : {}),
          steps: {},
        },
      }
    },

    /** Saves the next version with all that goes with it. Throws `lostRace` when somebody saved it since it was read. */
    async save({ row, rules, draft }: Joining, doing: Doing = {}): Promise<ApplicationRow> {
      const at = seconds(now)
      return store.transaction(async (tables) => {
        await doing.also?.(tables)
        const { contact: before, ...others } = row
        const state = doing.state ?? 'open'
        const after = doing.contact ? hmac(contactKey, doing.contact.toLowerCase()) : before
        const next: ApplicationRow = {
          ...others,
          state,
          device: doing.device ?? row.device,
          ...(doing.accountId ? { accountId: doing.accountId } : {}),
          // Nobody is looked for who does not wait: not even a digest of her address stays.
          ...(after && !isOver({ state }) ? { contact: after } : {}),
          draft: sealDraft(draftKey, row.id, draft),
          version: row.version + 1,
          updatedAt: at,
          expiresAt: at + rules.expires_days * day,
        }
        if (row.version === 0) {
          await tables.applications.keepRules(row.rules, rules.id, JSON.stringify(rules), at)
          await tables.applications.create(next)
        } else if (!(await tables.applications.save(next))) {
          throw lostRace
        }
        await send(tables, next, doing, at)
        return next
      })
    },
  }
}
