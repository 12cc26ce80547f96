/** The sandbox's own pages: rendered on the server, no script, one stylesheet and icon each. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ejs from 'ejs'
import type { Context } from 'koa'

const file = (name: string) =>
  fileURLToPath(new URL(`../../views/sandbox/${name}`, import.meta.url))

/**
 * No `form-action`: browsers apply it to every redirect after a form, and a sign-in form ends at an
 * app this page knows nothing of.
 */
export const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Answers with one page. */
export async function showPage(
  ctx: Pick<Context, 'set' | 'type' | 'body' | 'status'>,
  view: string,
  data: Record<string, unknown>,
  status = 200,
): Promise<void> {
  const body = await ejs.renderFile(file(`${view}.ejs`), data, { cache: true })
  ctx.status = status
  ctx.set('Content-Security-Policy', pagePolicy)
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.type = 'html'
  ctx.body = body
}

/** What the sandbox's pages look like: a stylesheet and an icon of the same name. */
export async function showLooks(ctx: Context, name: 'demo' | 'sandbox'): Promise<void> {
  const type = ctx.path.endsWith('.svg') ? 'svg' : 'css'
  const looks = await readFile(file(`${name}.${type}`), 'utf8')
  ctx.type = type
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Cache-Control', 'no-cache')
  ctx.body = looks
}
