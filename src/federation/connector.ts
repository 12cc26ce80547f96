/**
 * The one contract every upstream protocol fulfils. There is no half-trusted identity: `complete`
 * gives an identity the upstream vouched for, or throws an UpstreamError.
 */

/** What a connector may know of the trip it starts. */
export type Trip = {
  /** Our callback for this connector, from configuration, never from a Host header. */
  callbackUrl: string
  /** Unguessable; comes back in the arrival. The caller keeps the memo under it. */
  state: string
  /** The app asked for a fresh sign-in (`prompt=login`, `max_age`): the upstream is asked for one too. */
  fresh: boolean
  /** BCP 47 tags in order of preference. */
  locales: string[]
  loginHint?: string
}

/** Where the browser goes now, and what we need again when it comes back. */
export type Departure = {
  url: string
  /** Opaque to the caller, JSON, secret (nonce, PKCE verifier): kept sealed. */
  memo: Record<string, string>
}

/** What the browser brought back. `url` is the callback URL from configuration with the query it came with. */
export type Arrival = { url: URL; state: string }

/** A role in a school, beside the raw words the upstream used. */
export type Role = 'teacher' | 'staff' | 'student' | 'parent' | 'other'

export type ClassInfo = {
  schoolCode: string
  /** ROC school year, e.g. `113`. */
  year?: string
  semester?: string
  grade?: string
  classNo?: string
  classTitle?: string
  seatNo?: string
}

/** What one upstream says a person is at one school, at the time it was read. */
export type Affiliation = {
  /** Usually 6 characters, letters possible, leading zeros kept; longer where a county adds a suffix. */
  schoolCode: string
  schoolName?: string
  role: Role
  /** The upstream's own words, in its order: `教師`, `設備組長`. */
  titles: string[]
  classes: ClassInfo[]
}

/** What an upstream says of a person beside who she is. Empty and placeholder values (`NA`) are left out. */
export type UpstreamProfile = {
  name?: string
  givenName?: string
  familyName?: string
  nickname?: string
  preferredUsername?: string
  email?: string
  /** True only where the connector's configuration says that this upstream verifies addresses and the claim says so too. */
  emailVerified?: boolean
  gender?: string
}

/** A person as one upstream vouches for her. The link key is (issuer, subject) and nothing else. */
export type UpstreamIdentity = {
  connector: string
  issuer: string
  subject: string
  profile: UpstreamProfile
  affiliations: Affiliation[]
  /** Former OpenID 2.0 identifiers, only from the signed ID token. */
  openid2Ids: string[]
  acr?: string
  amr?: string[]
  /** Seconds since 1970 when the upstream authenticated the person, if it said so. */
  authTime?: number
  /** The claims as received, less tokens and personal numbers (`guid`, `personid`, `idno`). */
  raw: Record<string, unknown>
}

export type Connector = {
  id: string
  /** Where this connector may send a form's redirect: CSP `form-action` sources. Known without I/O. */
  origins: string[]
  begin(trip: Trip): Promise<Departure>
  complete(arrival: Arrival, memo: Record<string, string>): Promise<UpstreamIdentity>
}

/** What app.ts lends to connectors: nothing else reaches the network or the clock. */
export type FederationPorts = {
  fetch: typeof fetch
  /** Milliseconds since 1970. */
  now: () => number
}
