/** The demo app's sessions: in memory, because nothing of a demo is worth keeping. */
import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'

/** What one app of the demo knows of the person who signed in to it. */
export type SignedIn = {
  idToken: string
  accessToken: string
  refreshToken?: string
  claims: Record<string, unknown>
  /** How many times the tokens were refreshed. */
  refreshed: number
}

/** A request that left for Citygate. */
export type Pending = { app: string; verifier: string; nonce: string; maxAge?: number }

export type DemoSession = {
  signedIn: Map<string, SignedIn>
  pending: Map<string, Pending>
}

const name = 'sandbox_demo'
const most = 1_000

export type DemoSessions = {
  /** The session of this browser, made if there is none. */
  of(ctx: Context): DemoSession
  all(): Iterable<DemoSession>
}

export function openDemoSessions(): DemoSessions {
  const sessions = new Map<string, DemoSession>()
  return {
    of(ctx) {
      const known = sessions.get(ctx.cookies.get(name) ?? '')
      if (known) return known
      const id = randomBytes(24).toString('base64url')
      const made: DemoSession = { signedIn: new Map(), pending: new Map() }
      sessions.set(id, made)
      const [oldest] = sessions.keys()
      if (sessions.size > most && oldest) sessions.delete(oldest)
      ctx.cookies.set(name, id, { httpOnly: true, sameSite: 'lax', path: '/' })
      return made
    },
    all: () => sessions.values(),
  }
}
