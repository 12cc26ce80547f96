/** OpenID 2.0 identifiers of one county in one spelling, whatever host and scheme they came under. */
export type ClaimedIdRules = {
  /** What links are kept under: its scheme is the one they are written with. */
  issuer: string
  /** Host names, the first the one they are written with; `*.example` stands for any host below it, and stays. */
  hosts: string[]
  /** What it looks like, so written. */
  pattern: RegExp
}

export const claimedIdRules = (
  issuer: string,
  { hosts, claimed_id: pattern }: { hosts: string[]; claimed_id: string },
): ClaimedIdRules => ({
  issuer,
  hosts,
  // All of it, also where the pattern has alternatives.
  pattern: new RegExp(`^(?:${pattern})$`, 'u'),
})

/**
 * The identifier as it is kept, or undefined for one that is none of this county's. A fragment stays: providers tell
 * by it who had the name first (OpenID Authentication 2.0 §11.5.1).
 */
export function readClaimedId(value: string, { issuer, hosts, pattern }: ClaimedIdRules) {
  // Reading a URL drops line ends and tabs, and turns backslashes: `wa\tng` is not wang.
  const url = value.length <= 255 && !/[\s\p{Cc}\\]/u.test(value) ? URL.parse(value) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  const listed = hosts.find((one) => isHost(url.host, one))
  const [first] = hosts
  if (listed === undefined || first === undefined) return undefined
  if (!listed.startsWith('*.') && !first.startsWith('*.')) {
    // A host without a port would leave the old one's.
    url.port = ''
    url.host = first
  }
  url.protocol = issuer.startsWith('http:') ? 'http:' : 'https:'
  const written = url.href.replace(/%[0-9a-f]{2}/gi, inOneSpelling)
  return pattern.test(written) ? written : undefined
}

/** RFC 3986 §6.2.2, as OpenID Authentication 2.0 §7.2 asks: `%e7` is `%E7`, and `%61` is `a`. */
function inOneSpelling(octet: string): string {
  const letter = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
  return /[\w.~-]/.test(letter) ? letter : octet.toUpperCase()
}

/** `*.example` is any host below example, not itself. */
export const isHost = (host: string, listed: string): boolean =>
  listed.startsWith('*.') ? host.endsWith(listed.slice(1)) : host === listed
