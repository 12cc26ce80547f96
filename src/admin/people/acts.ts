/** What staff do to one account: keep her out or let her in, end what is open, send her a way back. */

import { isLastOwner } from '#accounts/last-owner.ts'
import { signInName } from '#accounts/local.ts'
import { mailReset } from '#accounts/recovery.ts'
import { countedUnder } from '#accounts/sign-in-limits.ts'
import { tell } from '#accounts/tell.ts'
import { languages } from '#config/words.ts'
import { maskMail } from '#lib/mask.ts'
import { day } from '#lib/time.ts'
import { endSessions } from '#oidc/sessions.ts'
import type { AccountRow, AuditEvent, Tables } from '#store/store.ts'
import { endAll } from '../ending.ts'
import { type Acting, done, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { holdPerson } from './reach.ts'

/** The language of letters to her: the deployment's first one, since hers is not known. */
export const lettersLanguage = languages[0]

/** Runs `act` with the person's account held, in one transaction; `unknown` or `refused` where `by` may not act upon her. */
export const uponPerson = <T>(
  { store }: Pick<AdminPorts, 'store'>,
  by: Acting,
  id: string,
  act: (tables: Tables, account: AccountRow) => Promise<Outcome<T>>,
): Promise<Outcome<T>> =>
  store.transaction(async (tables): Promise<Outcome<T>> => {
    const held = await holdPerson(tables, by, id)
    return held.kind === 'held' ? act(tables, held.account) : held
  })

/** The audit event of something staff did. */
export const decided = (
  by: Acting,
  action: string,
  target: string,
  details: NonNullable<AuditEvent['details']> = {},
): AuditEvent => ({
  at: by.at,
  actor: by.actor,
  action,
  target,
  outcome: 'ok',
  ...by.where,
  details,
})

const refused = (why: string) => ({ kind: 'refused', why }) as const
const already = (status: string) =>
  ({ kind: 'conflict', why: `the account is ${status} by now` }) as const

type Reasoned = { sub: string; reason: string }

/** Nobody signs in to it, and nothing that was issued works, from this moment on. */
export const suspendPerson = (ports: AdminPorts, by: Acting, { sub, reason }: Reasoned) =>
  uponPerson(ports, by, sub, async (tables, { id, status }) => {
    if (id === by.actor) return refused('people-self')
    if (status !== 'active') return already(status)
    if (await isLastOwner(tables, id)) return refused('people-last-owner')
    await tables.accounts.suspend(id, by.at)
    const sessionsEnded = await endAll(tables, id, by.at)
    await tables.audit.record(decided(by, 'account.suspend', id, { reason, sessionsEnded }))
    return done({ sessionsEnded })
  })

/** A sign-in that was under way while she was kept out may have left tokens: they end first. */
export const reactivatePerson = (ports: AdminPorts, by: Acting, { sub, reason }: Reasoned) =>
  uponPerson(ports, by, sub, async (tables, { id, status }) => {
    if (status !== 'suspended') return already(status)
    const merges = await tables.accountMerges.list({ accountId: id, limit: 100 })
    if (merges.some(({ merged, undoneAt }) => merged === id && undoneAt === undefined)) {
      return refused('people-merged')
    }
    await tables.accounts.reactivate(id, by.at)
    await endAll(tables, id, by.at)
    await tables.audit.record(decided(by, 'account.reactivate', id, { reason }))
    return done({})
  })

/** As she closes it herself: for some days she may have it back, then it is erased. */
export const closePerson = (ports: AdminPorts, by: Acting, { sub, reason }: Reasoned) =>
  uponPerson(ports, by, sub, async (tables, account) => {
    const { id, status } = account
    if (id === by.actor) return refused('people-self')
    if (status !== 'active') return already(status)
    if (await isLastOwner(tables, id)) return refused('people-last-owner')
    await tables.accounts.close(id, by.at)
    const sessionsEnded = await endAll(tables, id, by.at)
    await tables.audit.record(decided(by, 'account.close', id, { reason, sessionsEnded }))
    const { config } = ports
    const lasts = config.site.account.grace_days * day
    await tell(tables, account, { at: by.at, language: lettersLanguage }, (her) =>
      ports.writeLetter({
        kind: 'account-closed',
        ...her,
        link: `${config.issuer}/account`,
        params: { ...her.params, lasts },
      }),
    )
    return done({ sessionsEnded })
  })

/** Forgets what was counted of wrong passwords under her names, wherever they were tried. */
export const unlockPerson = (ports: AdminPorts, by: Acting, { sub }: { sub: string }) =>
  uponPerson(ports, by, sub, async (tables, { id }) => {
    const { domain } = ports.config.site.local_accounts
    const names = await tables.identifiers.ofAccount(id)
    const counted = new Set(names.map(({ value }) => signInName(value, domain)))
    let lifted = 0
    for (const name of counted) {
      lifted += await ports.limits.counters.forget(tables, countedUnder(name))
    }
    await tables.audit.record(decided(by, 'account.unlock', id, { lifted }))
    return done({ lifted })
  })

type Ending = { sub: string; session?: string | undefined }

/** One of her browsers; or all of them, with every token and every link that waits. */
export const endSessionsOf = (ports: AdminPorts, by: Acting, { sub, session }: Ending) =>
  uponPerson(ports, by, sub, async (tables, { id }) => {
    const ended =
      session === undefined
        ? await endAll(tables, id, by.at)
        : await endSessions(tables, id, by.at, { onlyUid: session })
    await tables.audit.record(decided(by, 'session.end', id, { ended }))
    return done({ ended })
  })

/** The link goes to an address she keeps herself, never to one that is typed here. */
export const sendResetTo = (ports: AdminPorts, by: Acting, { sub }: { sub: string }) =>
  uponPerson(ports, by, sub, async (tables, { id, status }) => {
    if (status !== 'active') return already(status)
    const { actor, where, at } = by
    const asked = { actor, where, at, language: lettersLanguage }
    const to = await mailReset(tables, id, asked, ports.recovery)
    return to === undefined ? refused('people-no-address') : done({ to: maskMail(to) })
  })
