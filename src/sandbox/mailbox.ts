/** What Citygate would have sent out: mails to people, and what it told other systems to make. */
import type { ProvisioningEvent } from '#accounts/provisioning.ts'
import type { Mail, Sender } from '#lib/mail.ts'
import type { SandboxMemory } from './memory.ts'
import { openShelf, type Shelf } from './shelf.ts'

/** When it came: milliseconds since 1970. */
type Arrived = { id: string; at: number }
export type KeptMail = Arrived & { mail: Mail }
export type KeptEvent = Arrived & { receiver: string; event: ProvisioningEvent }

export type Mailbox = { mails: Shelf<KeptMail>; events: Shelf<KeptEvent> }

/** Whom mails come from here. */
export const sender: Sender = { name: '城門沙盒', address: 'no-reply@sandbox.example' }

const places = 200

export function openMailbox(memory: SandboxMemory): Mailbox {
  return {
    mails: openShelf(memory, 'mails', places),
    events: openShelf(memory, 'events', places),
  }
}

/** The addresses in a mail's text, each once: beside its page, for those who cannot click there. */
export const linksIn = ({ text }: Mail): string[] => [
  ...new Set(text.match(/https?:\/\/[^\s<>"']+/g) ?? []),
]
