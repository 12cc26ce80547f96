/** What an upstream's identity says, as facts steps can use. */
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Facts, Vouched } from './step.ts'

/** Only what it says: an absent fact fills nothing in. */
export function upstreamFactsOf({ connector, profile, affiliations }: UpstreamIdentity): {
  facts: Facts
  vouched: Vouched
} {
  const [first] = affiliations
  const said = {
    'upstream.connector': connector,
    'upstream.name': profile.name,
    'upstream.nickname': profile.nickname,
    'upstream.email': profile.email,
    'upstream.gender': profile.gender,
    'upstream.role': first?.role,
    'upstream.title': affiliations.flatMap(({ titles }) => titles).join('、') || undefined,
    'upstream.school': first?.schoolName ?? first?.schoolCode,
  }
  const facts = Object.fromEntries(
    Object.entries(said).filter((one): one is [string, string] => one[1] !== undefined),
  )
  const vouched = Object.fromEntries(Object.keys(facts).map((fact) => [fact, connector]))
  return { facts, vouched }
}
