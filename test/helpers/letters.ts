/** Mails a world wants to send: taken out of its outbox, where they wait for a mail server it does not have. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Mail } from '#lib/mail.ts'
import type { World } from './world.ts'

/** All that wait, oldest first. Each is given out once. */
export async function takeLetters({ house: { store } }: World): Promise<Mail[]> {
  const letters: Mail[] = []
  for (;;) {
    const [waiting] = (await store.outbox.list()).filter(({ kind }) => kind === 'mail')
    if (!waiting) return letters
    const at = Math.floor(Date.now() / 1000)
    const taken = await store.outbox.take(waiting.id, { at, until: at + 60 })
    // In the hands of the courier, who finds no server.
    if (!taken) await sleep(20)
    else if (await store.outbox.drop(taken.id)) letters.push(taken.payload as Mail)
  }
}

/** The same once nothing is being looked into any more. */
export async function takeAnswers(world: World): Promise<Mail[]> {
  const asked = async () =>
    (await world.house.store.outbox.list()).some(({ kind }) => kind === 'request')
  while (await asked()) await sleep(20)
  return takeLetters(world)
}

/** The address behind a mail's button. */
export const linkIn = ({ text }: Pick<Mail, 'text'>): string =>
  /^https?:\/\/\S+$/m.exec(text)?.[0] ?? ''
