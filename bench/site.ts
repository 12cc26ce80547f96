/** What the load generator must know of a server to put load on it. */

export type App = { clientId: string; clientSecret: string }

export type Site = {
  /** Where it listens. */
  origin: string
  /** What it calls itself: the Host header, and the beginning of its redirects. */
  issuer: string
  /** The app people sign in to. */
  app: App
  /** The app that speaks for itself. */
  machine: App
}

/** Nobody listens there: the load generator stops at it. */
export const redirectUri = 'https://app.bench.example/callback'

/** APIs with JWT access tokens, by signature (config/site.yaml has the same). */
export const resources = {
  RS256: 'https://rs256.bench.example',
  ES256: 'https://es256.bench.example',
} as const
export const resourceScope = 'bench:read'

/** The county people come from. */
export const county = 'bench'

/** How many people there are: most sign-ins are of somebody known. */
export const people = 200

/** The password of every local account the bench makes. */
export const password = 'a password for the bench'
export const localAccount = (n: number) => `person${n}@bench.example`
