/** Headers every answer carries. */
import type { Context, Next } from '../context.ts'

/** What a page needs beside the least. */
export type PolicyNeeds = {
  /** Origins its forms may lead to, beside our own. */
  formAction?: string[] | undefined
  /** It has a browser work in the background, with a script of ours. */
  worker?: boolean | undefined
  /** Its script asks us something while she types. */
  connect?: boolean | undefined
}

/** Our pages' policy: nothing from elsewhere, nothing inline, forms only to `formAction`. */
export function contentSecurityPolicy({
  formAction = [],
  worker,
  connect,
}: PolicyNeeds = {}): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `worker-src ${worker ? "'self'" : "'none'"}`,
    `connect-src ${connect ? "'self'" : "'none'"}`,
    "style-src 'self'",
    "img-src 'self' data:",
    // Chromium applies form-action to the redirects after a form too: the app's and the county's origin are named.
    `form-action ${["'self'", ...new Set(formAction)].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
  ].join('; ')
}

/** What holds for every answer, pages or not. */
const always = (secure: boolean) => ({
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  ...(secure ? { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' } : {}),
})

/** For what apps read: opened in a browser all the same, it does nothing and is framed by nobody. */
export const appHeaders = (secure: boolean) =>
  setting({
    ...always(secure),
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  })

export const pageHeaders = (secure: boolean) =>
  setting({
    ...always(secure),
    'Content-Security-Policy': contentSecurityPolicy(),
    'X-Frame-Options': 'DENY',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  })

function setting(headers: Record<string, string>) {
  const fixed = Object.entries(headers)
  return ({ res }: Context, next: Next) => {
    for (const [name, value] of fixed) res.setHeader(name, value)
    return next()
  }
}
