/** Headers every answer carries. */
import type { Context, Next } from '../context.ts'

/** Our pages' policy: nothing from elsewhere, nothing inline, forms only to `formAction`. */
export function contentSecurityPolicy(formAction: string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    // Chromium applies form-action to the redirects after a form too: the app's and the county's origin are named.
    `form-action ${["'self'", ...new Set(formAction)].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
  ].join('; ')
}

export function headers({ secure }: { secure: boolean }) {
  const fixed = Object.entries({
    'Content-Security-Policy': contentSecurityPolicy(),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    ...(secure ? { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' } : {}),
  })
  return ({ res }: Context, next: Next) => {
    for (const [name, value] of fixed) res.setHeader(name, value)
    return next()
  }
}
