/** Gives this browser's session another id: whoever has a copy of its cookie is out. */
import { seconds } from '#lib/time.ts'
import { sessionSeconds } from '#oidc/session-life.ts'
import type { Context } from './context.ts'
import type { House } from './house.ts'

export async function renewSession(
  { provider, config, cookies, now }: Pick<House, 'provider' | 'config' | 'cookies' | 'now'>,
  ctx: Context,
): Promise<void> {
  const session = await provider.Session.get(ctx as never)
  if (!session.accountId) return
  session.resetIdentifier()
  const left = sessionSeconds(config.site.session, session, seconds(now))
  await session.save(left)
  ctx.cookies.set(cookies.session, session.jti, {
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    signed: true,
    secure: ctx.secure,
    // One that was not to be kept goes with the window.
    ...(session.transient ? {} : { maxAge: left * 1000 }),
  })
}
