/** Who is signed in at the school: in a signed cookie, and nowhere else. */
import type { Context } from 'koa'
import { newId } from './answers.ts'

export type SchoolSession = {
  account: string
  index: string
  /** Milliseconds since 1970 when she signed in. */
  at: number
}

const fortnight = 14 * 24 * 60 * 60 * 1000

export function openSchoolSessions(id: string, now: () => number) {
  const name = `sandbox_${id}`
  // Browsers keep one cookie jar for all ports of localhost.
  const where = { signed: true, httpOnly: true, sameSite: 'lax', path: `/${id}` } as const
  return {
    find(ctx: Context): SchoolSession | undefined {
      const value = ctx.cookies.get(name, { signed: true })
      return value && JSON.parse(Buffer.from(value, 'base64url').toString())
    },
    begin(
      ctx: Context,
      { account, remember }: { account: string; remember: boolean },
    ): SchoolSession {
      const session = { account, index: newId(), at: now() }
      const value = Buffer.from(JSON.stringify(session)).toString('base64url')
      ctx.cookies.set(name, value, { ...where, ...(remember ? { maxAge: fortnight } : {}) })
      return session
    },
    end(ctx: Context): void {
      ctx.cookies.set(name, null, where)
    },
  }
}
