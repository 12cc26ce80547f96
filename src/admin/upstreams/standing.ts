/** How an upstream stands, as staff read it: from the board, its file and what happened lately. */
import { X509Certificate } from 'node:crypto'
import type { ConnectorConfig } from '#config/connector.ts'
import { dayOf } from '#federation/days.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { day, isoOr, isoTime, seconds } from '#lib/time.ts'
import { failuresKept } from '#store/upstream-events.ts'
import type { AdminPorts } from '../ports.ts'
import { availabilityOf, firstDayBegins, shareOf } from './availability.ts'
import { issuerOf } from './issuer.ts'
import type { Opening, UpstreamDetail, UpstreamItem } from './shapes.ts'

export type StandingPorts = Pick<
  AdminPorts,
  'config' | 'store' | 'upstreamHealth' | 'upstreams' | 'now'
>

const some = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }

type Failures = { what: string; count: number; last: number }[]

/** By upstream, of the last 24 hours. */
export async function recentFailures({
  store,
  now,
}: Pick<StandingPorts, 'store' | 'now'>): Promise<(connector: string) => Failures> {
  const all = await store.upstreamEvents.failures(seconds(now) - day)
  return (connector) => all.filter((one) => one.connector === connector)
}

/** As a row of the list; `failures` are those of the last 24 hours. */
export function itemOf(
  ports: Omit<StandingPorts, 'store' | 'config'>,
  file: ConnectorConfig,
  failures: Failures,
): UpstreamItem {
  const { id, label, type } = file
  const known = ports.upstreamHealth.find(id)
  const count = failures.reduce((all, one) => all + one.count, 0)
  return {
    id,
    label,
    type,
    opening: openingOf(ports, file),
    relapsed: known?.relapsed === true,
    ...some('state', known?.state),
    since: isoOr(known?.since),
    checkedAt: isoOr(known?.checkedAt),
    ...(known && known.state !== 'ok' ? some('failure', known.failure) : {}),
    ...some('took', known?.took),
    certificateExpiresAt: isoOr(known?.certificateExpiresAt),
    failures: { count, atLeast: count >= failuresKept },
  }
}

function openingOf(
  { upstreamHealth, upstreams, now }: Omit<StandingPorts, 'store' | 'config'>,
  file: ConnectorConfig,
): Opening {
  if (upstreamHealth.offSince(file.id) !== undefined) return 'off'
  if (!upstreams.opened.has(file.id)) return 'not-connected'
  return dayOf(file, now())
}

/** As its own page has it. */
export async function detailOf(
  ports: StandingPorts,
  file: ConnectorConfig,
): Promise<UpstreamDetail> {
  const { store, upstreamHealth, now, config } = ports
  const { id } = file
  const at = seconds(now)
  const [failures, changes, off, notices] = await Promise.all([
    recentFailures(ports),
    store.upstreamEvents.changes(id, firstDayBegins(at)),
    store.upstreamSwitches.find(id),
    store.upstreamNotices.list(at),
  ])
  const known = upstreamHealth.find(id)
  const present = known && { state: known.state, since: known.since }
  const days = availabilityOf(changes, { present, offAt: off?.offAt, at })
  return {
    ...itemOf(ports, file, failures(id)),
    ...some(
      'switchedOff',
      off && { at: isoTime(off.offAt), by: off.switchedBy, reason: off.reason },
    ),
    notices: notices
      .filter(({ connector }) => connector === id)
      .map(({ id: notice, text, startsAt, endsAt }) => ({
        id: notice,
        text,
        from: isoTime(startsAt),
        until: isoTime(endsAt),
      })),
    failuresBy: failures(id)
      .map(({ what, count, last }) => ({ failure: what, count, last: isoTime(last) }))
      .sort((a, b) => b.count - a.count),
    availability: { ...some('share', shareOf(days)), days },
    certificates: certificatesOf(ports, file),
    facts: factsOf(ports, file),
    addresses: addressesOf(file, config.issuer),
  }
}

function certificatesOf(
  { upstreamHealth, upstreams }: StandingPorts,
  file: ConnectorConfig,
): UpstreamDetail['certificates'] {
  const expiry = upstreamHealth.find(file.id)?.certificateExpiresAt
  const servers = upstreams.opened.get(file.id)?.servers ?? []
  const own = file.type === 'saml' ? file.credentials?.certificate : undefined
  return [
    ...(expiry === undefined
      ? []
      : [{ of: 'server' as const, name: servers.join(', '), expiresAt: isoTime(expiry) }]),
    ...(file.type === 'saml' ? file.settings.certificates : []).flatMap((pem) =>
      certificateIn(pem, 'file'),
    ),
    ...(own === undefined ? [] : certificateIn(own, 'own')),
  ]
}

/** None for what cannot be read: the sign-in that needs it says so. */
function certificateIn(pem: string, of: 'file' | 'own'): UpstreamDetail['certificates'] {
  try {
    const { subject, validTo } = new X509Certificate(pem)
    const name = subject.replaceAll('\n', ', ')
    return [{ of, name, expiresAt: new Date(validTo).toISOString() }]
  } catch {
    return []
  }
}

function factsOf({ upstreams }: StandingPorts, file: ConnectorConfig): UpstreamDetail['facts'] {
  const { id, profile, former, linking, fingerprint, opens, closes, contact, quirks } = file
  return {
    profile,
    issuer: issuerOf(file),
    servers: upstreams.opened.get(id)?.servers ?? [],
    former: former.map(({ issuer }) => issuer),
    linking,
    ...some('fingerprint', fingerprint),
    ...some('opens', opens),
    ...some('closes', closes),
    ...some('contact', contact),
    quirks,
    missing: file.credentials ? [] : (file.missing ?? []),
  }
}

type Address = UpstreamDetail['addresses'][number]['what']
/** A directory is called and calls nobody. */
const needed: Record<ConnectorConfig['type'], Address[]> = {
  oidc: ['callback', 'logout'],
  oauth2: ['callback', 'logout'],
  openid2: ['realm', 'callback'],
  saml: ['metadata', 'callback', 'logout'],
  ldap: [],
}

function addressesOf({ id, type }: ConnectorConfig, issuer: string) {
  const addresses = ownAddresses(issuer, id)
  return needed[type].map((what) => ({ what, url: addresses[what] }))
}
