/**
 * Somebody signs in to an account its member closed: it is hers to have back. That she proved herself just now is
 * sealed into the page's form, for this request of an app and this browser only.
 */
import { type ReopenedBy, reopenAccount, reopenableUntil } from '#account/closing.ts'
import type { Language } from '#config/words.ts'
import type { Answer, Login } from '#interaction/question.ts'
import { seal, unseal } from '#lib/crypto.ts'
import { day, seconds } from '#lib/time.ts'
import type { App } from '../app-of.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import type { Fields } from '../input.ts'
import { Problem } from '../problem.ts'
import { afterBarred } from './next-steps.ts'

/** How long the page is good for. */
const proofSeconds = 10 * 60

type Proof = { login: Login; by: ReopenedBy; closedAt: number; until: number }
type Open = { uid: string; clientId: string; app: App; formAction: string[] }

export function openReopening({ store, config, keys, now, writeLetter }: House) {
  const graceSeconds = config.site.account.grace_days * day
  const contextOf = (ctx: Context, uid: string) => `reopen.${uid}.${ctx.state.device}`

  /** What she is told, and offered. */
  async function offer(
    ctx: Context,
    open: Open,
    { login, connector }: { login: Login; connector?: string },
  ): Promise<Problem> {
    const at = seconds(now)
    const account = await store.accounts.find(login.accountId)
    const barred = afterBarred(open, 'closed', open.formAction)
    // Closed by somebody else: that is not hers to undo.
    if (account?.closedAt === undefined) return barred
    const until = reopenableUntil(account, graceSeconds, at)
    const { next = [], ...options } = barred.options
    if (until === undefined) return new Problem(403, 'account.closed-for-good', barred.options)
    const { closedAt } = account
    const { clientId } = open
    const by: ReopenedBy = connector
      ? { way: 'upstream', connector, clientId }
      : { way: 'password', clientId }
    const proof: Proof = { login, by, closedAt, until: at + proofSeconds }
    return new Problem(403, 'account.closed', {
      ...options,
      params: { date: dayOf(until, ctx.state.language) },
      next: [
        {
          id: 'reopen',
          kind: 'post',
          href: `/interaction/${open.uid}/reopen`,
          labelKey: 'next.reopen',
          fields: { proof: seal(keys.data, JSON.stringify(proof), contextOf(ctx, open.uid)) },
          primary: true,
        },
        ...next,
      ],
    })
  }

  /** Opens it again; the answer she signs in with. Throws the page for a proof that is not good (any more). */
  async function accept(
    ctx: Context,
    { uid }: Pick<Open, 'uid'>,
    { proof = '' }: Fields,
  ): Promise<Answer> {
    const at = seconds(now)
    const read = readProof(ctx, uid, proof)
    // One of the last release says less.
    if (!read?.by || at >= read.until) throw tooLate(uid)
    const { login, by, closedAt } = read
    const around = { at, language: ctx.state.language, where: circumstancesOf(ctx) }
    const acting = { accountId: login.accountId, ...around }
    const ports = { writeLetter, graceSeconds }
    if (!(await reopenAccount(store, acting, { closedAt, by }, ports))) throw tooLate(uid)
    return { login, select_account: {} }
  }

  function readProof(ctx: Context, uid: string, proof: string): Proof | undefined {
    try {
      return JSON.parse(unseal(keys.data, proof, contextOf(ctx, uid)))
    } catch {
      // Changed, of another request or of another browser.
      return undefined
    }
  }

  return { offer, accept }
}

function tooLate(uid: string): Problem {
  const href = `/interaction/${encodeURIComponent(uid)}?choose=1`
  return new Problem(409, 'account.reopen-over', {
    next: [{ id: 'sign-in', kind: 'link', href, labelKey: 'next.sign-in', primary: true }],
  })
}

const dayOf = (at: number, language: Language) =>
  new Intl.DateTimeFormat(language, { timeZone: 'Asia/Taipei', dateStyle: 'long' }).format(
    new Date(at * 1000),
  )
