/**
 * The one contract every upstream protocol fulfils. There is no half-trusted identity: `complete`
 * gives an identity the upstream vouched for, or throws an UpstreamError.
 */

/** What a connector may know of the trip it starts. */
export type Trip = {
  /** Our callback for this connector, from configuration, never from a Host header. */
  callbackUrl: string
  /** Our own form for account and password, for upstreams that have no pages; takes `state` in its query. */
  passwordUrl: string
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
export type Arrival = {
  url: URL
  state: string
  /** What came as a form: a SAML response, a long OpenID 2.0 answer. */
  form?: URLSearchParams
  /** What she typed into our own form. */
  typed?: { account: string; password: string }
}

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
  /** Former OpenID 2.0 identifiers, only from what the upstream signed. */
  openid2Ids: string[]
  /** How this county knew her before, of `openid2Ids` those its file names: a link under one of them is hers. */
  former?: { issuer: string; subject: string }[]
  /** Another value than before: this login is somebody else's now. Personal: kept as a keyed hash only. */
  fingerprint?: string
  /** What could not be read of the answer, by name. It is kept in `raw`; staff are told. */
  unread?: string[]
  /**
   * The upstream's own session, to be ended with ours. `signsOut`: it has a page people sign out at. `hint` is the
   * connector's, opaque and secret.
   */
  session?: { sid?: string; hint?: string; signsOut?: true }
  acr?: string
  amr?: string[]
  /** Seconds since 1970 when the upstream authenticated the person, if it said so. */
  authTime?: number
  /** The claims as received, less tokens and personal numbers (`guid`, `personid`, `idno`). */
  raw: Record<string, unknown>
}

/** What came to our logout address, verified. */
export type LogoutHeard =
  /** Somebody signed out there: all who came from there under this subject, or in this session. */
  | { kind: 'ended'; issuer: string; subject?: string; sid?: string; reply?: string }
  /** Its answer to our own request. */
  | { kind: 'answered' }

export type Connector = {
  id: string
  /** Where this connector may send a form's redirect: CSP `form-action` sources. Known without I/O. */
  origins: string[]
  /** It has no pages: our own form asks, and `complete` is given what was typed. */
  asks?: 'password'
  begin(trip: Trip): Promise<Departure>
  complete(arrival: Arrival, memo: Record<string, string>): Promise<UpstreamIdentity>
  /** Reads anew what every sign-in needs of it, and keeps that. Throws UpstreamError. */
  probe(): Promise<void>
  /** Servers it depends on, `host:port` with TLS: their certificates expire. */
  servers: string[]
  /** Where she signs out there and comes back to `returnTo` from; undefined where it has no such page. */
  signOut?(session: { hint?: string; returnTo: string; state: string }): Promise<string | undefined>
  /** Throws UpstreamError for what it did not send. */
  hearLogout?(message: { url: URL; form?: URLSearchParams }): Promise<LogoutHeard>
  /** What it must know of us: a SAML service provider's metadata. */
  ownMetadata?(): Promise<string>
}

/** Our own addresses towards one upstream. */
export type OwnAddresses = {
  callback: string
  password: string
  metadata: string
  logout: string
  /** Of all upstreams (OpenID 2.0 §9.2): the issuer with a slash. */
  realm: string
}

/** What app.ts lends to connectors: nothing else reaches the network or the clock. */
export type FederationPorts = {
  fetch: typeof fetch
  /** Milliseconds since 1970. */
  now: () => number
  ownAddresses(connector: string): OwnAddresses
  /** True for exactly one caller of all processes: a nonce, an assertion. Remembered until `expiresAt`, in seconds. */
  firstUse(key: string, expiresAt: number): Promise<boolean>
  /** What upstreams published, kept over their outages and our restarts. */
  documents: {
    find(key: string): Promise<{ text: string; readAt: number } | undefined>
    keep(key: string, text: string): Promise<void>
  }
}
