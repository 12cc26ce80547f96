/** What an application knows so far, and how it lies in its row: sealed, since all of it is about one person. */
import type { Language } from '#config/words.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { seal, unseal } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import type { ApplicationRow } from '#store/store.ts'
import type { Accepted, Facts, FieldProblem, Memory, Vouched } from './step.ts'

export type StepState = {
  done: boolean
  facts: Facts
  vouched?: Vouched
  held?: Readonly<Record<string, string>>
  accepted?: Accepted[]
  identity?: UpstreamIdentity
  memory?: Memory
  /** Digest of the fields that finished it: the same sent twice is one answer. */
  sent?: string
  /** Digest of an answer that was wrong, and the version it left: sent once more it is no other tab's. */
  slipped?: { sent: string; version: number }
  /** Found out later: shown when the step is. */
  problems?: FieldProblem[]
}

export type Door = {
  entry: 'visitor' | 'identity' | 'member'
  facts: Facts
  /** Who came in through an upstream, before the first step. */
  identity?: UpstreamIdentity
}

/** As whom an upstream vouched for her, and its session: ours stands on that. */
export type Standing = Pick<UpstreamIdentity, 'connector' | 'issuer' | 'subject' | 'session'>

export type Draft = {
  door: Door
  language: Language
  /** The app's request that waits for it: an interaction's uid. */
  interaction?: string
  steps: Record<string, StepState>
  /** Whom an upstream vouched for last, as a digest, and when. */
  proof?: { of: string; at: number }
  /** Why it ended without an account. */
  refused?: Message
  /** It became an account: how she proved herself, and when. Signs this browser in once, for some minutes. */
  finished?: { at: number; amr: string[]; federated: boolean; upstream?: Standing }
}

/** What is left when it is over: the person is a row of her own now, or none. */
export const emptied = ({ door, language, interaction }: Draft): Draft => ({
  door: { entry: door.entry, facts: {} },
  language,
  ...(interaction ? { interaction } : {}),
  steps: {},
})

/** The row's place is part of the seal: a draft copied to another row does not open. */
const context = (id: string) => `application.draft.${id}`

export const sealDraft = (key: Buffer, id: string, draft: Draft): string =>
  seal(key, JSON.stringify(draft), context(id))

export const openDraft = (
  key: Buffer,
  { id, draft }: Pick<ApplicationRow, 'id' | 'draft'>,
): Draft => JSON.parse(unseal(key, draft, context(id)))
