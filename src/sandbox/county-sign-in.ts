/** The sign-in page of a pretend county: account, password, 「保持登入狀態」, and a way to give up. */
import { timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import type { County } from './counties.ts'
import { readForm } from './form.ts'
import { showPage } from './pages.ts'
import { findPerson, fullName, people } from './people.ts'

/** What came of the page: she pressed cancel, signed in, or has it before her again. */
export type SignedIn =
  | { kind: 'cancelled' }
  | { kind: 'known'; account: string; remember: boolean }
  | { kind: 'shown' }

/** Shows the page at GET, with the account filled in where one is known, and takes its form at POST. */
export async function askToSignIn(
  ctx: Context,
  county: County,
  hint: string | undefined,
): Promise<SignedIn> {
  if (ctx.method !== 'POST') {
    await show(ctx, county, { account: hint ?? '', wrong: false })
    return { kind: 'shown' }
  }
  const form = await readForm(ctx.req)
  if (form.get('cancel')) return { kind: 'cancelled' }
  const account = (form.get('account') ?? '').trim()
  const remember = form.has('remember')
  if (knows(county.id, account, form.get('password') ?? ''))
    return { kind: 'known', account, remember }
  await show(ctx, county, { account, wrong: true, remember })
  return { kind: 'shown' }
}

function show(
  ctx: Context,
  county: County,
  typed: { account: string; wrong: boolean; remember?: boolean },
) {
  const samples = (people[county.id] ?? []).map((one) => ({ ...one, name: fullName(one) }))
  return showPage(ctx, 'county-sign-in', { county, samples, remember: false, ...typed })
}

/** The password is the account itself. */
export function knows(county: string, account: string, password: string): boolean {
  if (!findPerson(county, account)) return false
  const [given, right] = [Buffer.from(password), Buffer.from(account)]
  return given.length === right.length && timingSafeEqual(given, right)
}
