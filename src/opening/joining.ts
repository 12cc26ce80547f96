/** Wires the engine of enrolments: what steps are lent, and keys of its own for each purpose. */
import { randomInt } from 'node:crypto'
import type { Counters } from '#accounts/counters.ts'
import { normalName } from '#accounts/local.ts'
import type { PasswordRules } from '#accounts/password-rules.ts'
import type { Passwords } from '#accounts/passwords.ts'
import { numberKeyOf } from '#accounts/personal-numbers.ts'
import type { Config } from '#config/load.ts'
import { type Enrolments, openEnrolments } from '#enrolment/engine.ts'
import { openSteps } from '#enrolment/steps.ts'
import { BusyError } from '#errors.ts'
import type { Connector } from '#federation/connector.ts'
import { deriveKey } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { openProofOfWork } from '#lib/proof-of-work.ts'
import type { Now } from '#lib/time.ts'
import type { Pictures } from '#outside/pictures.ts'
import type { LinkPurpose, Store } from '#store/store.ts'

export type JoiningParts = {
  store: Store
  now: Now
  /** What all of its keys are derived from: of the ring. */
  dataKey: Buffer
  writeLetter: WriteLetter
  /** Absolute address of a link in a mail. */
  linkUrl: (purpose: LinkPurpose, token: string) => string
  /** Absolute: where a password is reset. */
  resetUrl: string
  passwords: Passwords
  judgePassword: PasswordRules
  counters: Counters
  encodePicture: Pictures['encode']
  /** Those that are connected. */
  connectors: ReadonlyMap<string, Pick<Connector, 'origins'>>
  /** Six digits. Left out: by chance. */
  randomCode?: () => string
}

type Rules = Pick<Config, 'enrolments' | 'terms' | 'connectors'>

const sixDigits = () => String(randomInt(1_000_000)).padStart(6, '0')

export function openJoining(config: Rules, parts: JoiningParts): Enrolments {
  const { store, now, dataKey, writeLetter, linkUrl, randomCode = sixDigits } = parts
  const { passwords, judgePassword, counters, encodePicture, resetUrl } = parts
  const steps = openSteps({
    randomCode,
    codeKey: deriveKey(dataKey, 'joining codes'),
    passwords,
    judgePassword,
    async isTaken(type, value, unless) {
      const holder = await store.identifiers.find(type, normalName(value))
      return holder !== undefined && holder.accountId !== unless
    },
    resetUrl,
    counters,
    async encodePicture(bytes) {
      try {
        return await encodePicture(bytes)
      } catch (error) {
        if (error instanceof BusyError) return { kind: 'refused', why: 'busy' }
        throw error
      }
    },
    proofOfWork: openProofOfWork({ key: deriveKey(dataKey, 'proof of work'), now }),
    terms: config.terms,
    connectors: config.connectors.map(({ id, keywords, label }) => {
      const find = () => parts.connectors.get(id)
      return {
        id,
        keywords,
        label,
        // Asked each time: an upstream may open or close on a day.
        get connected() {
          return find() !== undefined
        },
        get origins() {
          return find()?.origins ?? []
        },
      }
    }),
  })
  return openEnrolments({
    store,
    now,
    counters,
    rules: config.enrolments,
    draftKey: deriveKey(dataKey, 'application drafts'),
    contactKey: deriveKey(dataKey, 'application contacts'),
    writeLetter,
    linkUrl,
    numberKey: numberKeyOf(dataKey),
    numberDigestKey: deriveKey(dataKey, 'personal number digests'),
    confirmation: {
      dataKey,
      writeLetter,
      linkTo: (token) => linkUrl('confirm-address', token),
    },
    steps,
  })
}
