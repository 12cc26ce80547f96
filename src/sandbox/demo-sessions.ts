/** The demo app's sessions: in the sandbox's memory, so that a restart in the middle of a sign-in loses nothing. */
import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import type { SandboxMemory } from './memory.ts'

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
  signedIn: Record<string, SignedIn>
  pending: Record<string, Pending>
}

export type DemoSessions = {
  find(ctx: Context): Promise<DemoSession>
  /** Keeps what `change` did to this browser's session, which is made if there is none. */
  change(ctx: Context, change: (session: DemoSession) => void): Promise<void>
  /** Signs out of `app` whoever signed in under that `sid` (OpenID Connect Back-Channel Logout §2.4). */
  endSid(app: string, sid: string): Promise<void>
}

/** Requests a person began and never finished are forgotten, oldest first. */
const mostPending = 20

/** `name`: of the cookie. */
export function openDemoSessions(memory: SandboxMemory, name: string): DemoSessions {
  const key = (id: string) => `demo.session.${id}`
  const sidKey = (app: string, sid: unknown) => `demo.sid.${app}.${sid}`
  const read = async (id: string | undefined): Promise<DemoSession> => {
    const text = id && (await memory.get(key(id)))
    return text ? JSON.parse(text) : { signedIn: {}, pending: {} }
  }
  // One change after the other: two tabs that leave at once must not forget each other's state.
  let last: Promise<void> = Promise.resolve()
  const inTurn = (work: () => Promise<void>) => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
  const write = (id: string, session: DemoSession) => memory.set(key(id), JSON.stringify(session))
  return {
    find: (ctx) => read(ctx.cookies.get(name)),
    change(ctx, change) {
      const id = ctx.cookies.get(name) ?? randomBytes(24).toString('base64url')
      ctx.cookies.set(name, id, { httpOnly: true, sameSite: 'lax', path: '/' })
      return inTurn(async () => {
        const session = await read(id)
        change(session)
        session.pending = Object.fromEntries(Object.entries(session.pending).slice(-mostPending))
        await write(id, session)
        for (const [app, { claims }] of Object.entries(session.signedIn)) {
          if (claims.sid) await memory.set(sidKey(app, claims.sid), id)
        }
      })
    },
    endSid: (app, sid) =>
      inTurn(async () => {
        const id = await memory.get(sidKey(app, sid))
        if (!id) return
        const session = await read(id)
        // By now somebody else may have signed in there.
        if (session.signedIn[app]?.claims.sid !== sid) return
        delete session.signedIn[app]
        await write(id, session)
      }),
  }
}
