/** Everything the doctor says, by key, and what goes into its words: `views/messages/doctor.<language>.yaml`. */
import type { MessageParams } from '#lib/messages.ts'

/** A sentence as data. Its key stays the same from release to release; its words may change. */
export type Said = { key: string; params: MessageParams }

/** What is said in one sentence. */
export const sayings = {
  'check.database': [],
  'check.risk': ['setting'],
  'check.schema': [],
  'check.keys': [],
  'check.outbox': [],
  'check.issuer': [],
  'check.cookies': [],
  'check.https': [],
  'check.addresses': [],
  'check.upstream': ['id'],
  'check.upstreams': [],
  'check.mail': [],
  'check.disk': [],
  'check.clock': [],
  'database.answers': ['version'],
  'schema.current': [],
  'keys.open': ['count'],
  'issuer.ours': ['issuer'],
  'cookies.arrive': ['name'],
  'upstream.answers': [],
  'upstream.unreachable': ['said'],
  'upstream.slow': ['said'],
  'upstream.nonsense': ['said'],
  'upstream.refused': ['said'],
  'upstream.forged': ['said'],
  'upstream.mend.unreachable.oidc': [],
  'upstream.mend.unreachable.oauth2': [],
  'upstream.mend.unreachable.openid2': [],
  'upstream.mend.unreachable.saml': [],
  'upstream.mend.unreachable.ldap': [],
  'upstream.mend.slow': [],
  'upstream.mend.nonsense.oidc': [],
  'upstream.mend.nonsense.oauth2': [],
  'upstream.mend.nonsense.openid2': [],
  'upstream.mend.nonsense.saml': [],
  'upstream.mend.nonsense.ldap': [],
  'upstream.mend.refused': [],
  'upstream.mend.forged.oidc': [],
  'upstream.mend.forged.oauth2': [],
  'upstream.mend.forged.openid2': [],
  'upstream.mend.forged.saml': [],
  'upstream.mend.forged.ldap': [],
  'upstreams.idle': ['count'],
  'mail.greets': [],
  'mail.fails': ['said'],
  'mail.mend': [],
  'disk.free': ['size', 'folder'],
  'clock.agrees': ['count'],
  'clock.agrees-one': [],
  'clock.database-ahead': ['seconds'],
  'clock.database-behind': ['seconds'],
  'clock.issuer-ahead': ['seconds'],
  'clock.issuer-behind': ['seconds'],
  'clock.server-ahead': ['host', 'seconds'],
  'clock.server-behind': ['host', 'seconds'],
  'clock.mend': [],
  'unchecked.reach': [],
  'unchecked.addresses': [],
  'unchecked.credentials': [],
  'unchecked.mail': [],
  'unchecked.backup': [],
} as const satisfies Record<string, readonly string[]>

/** What is wrong, in two: `<key>.says` and how to mend it, `<key>.mend`. */
export const troubles = {
  'database.none': [],
  'database.old': ['version'],
  'database.credentials': [],
  'database.absent': [],
  'database.full': [],
  'database.refuses': [],
  'database.unknown': [],
  'database.rights': [],
  'database.certificate': [],
  'database.locked': [],
  'database.read-only': [],
  'database.unreadable': [],
  'database.damaged': [],
  'database.no-room': [],
  'database.closed': [],
  'database.no-sqlite': [],
  'database.silent': [],
  'database.fails': ['said'],
  'risk.readable': ['setting', 'value'],
  'risk.fsync': ['setting', 'value'],
  'risk.full-page-writes': ['setting', 'value'],
  'risk.synchronous-commit': ['setting', 'value'],
  'risk.read-only': ['setting', 'value'],
  'risk.rights': ['setting', 'value'],
  'risk.standby': ['setting', 'value'],
  'risk.encoding': ['setting', 'value'],
  'schema.later': ['migrations'],
  'schema.behind': ['count'],
  'outbox.dead': ['count'],
  'keys.none': [],
  'keys.sealed': [],
  'keys.sealed-under': ['sealed', 'given'],
  'keys.other': [],
  'keys.unreadable': ['said'],
  'keys.none-signs': [],
  'keys.old': ['days'],
  'issuer.renamed': [],
  'issuer.status': ['status'],
  'issuer.other': [],
  'issuer.differs': ['theirs', 'issuer'],
  'issuer.rewritten': ['name', 'address'],
  'issuer.nobody': ['issuer'],
  'issuer.unknown': ['issuer'],
  'issuer.slow': ['issuer'],
  'issuer.expired': ['issuer'],
  'issuer.name': ['issuer'],
  'issuer.authority': ['issuer'],
  'issuer.no-tls': ['issuer'],
  'issuer.unreachable': ['issuer', 'why'],
  'cookies.none': ['status'],
  'cookies.changed': ['missing'],
  'https.no-hsts': [],
  'https.plain': [],
  'addresses.no-proxy': [],
  'upstream.certificate': ['server', 'until'],
  'upstream.broken': ['said'],
  'mail.none': [],
  'disk.low': ['size', 'folder'],
  'disk.none': ['folder'],
  'disk.read-only': ['folder'],
  'clock.unseen': [],
} as const satisfies Record<string, readonly string[]>

type Names = readonly string[]
type Given<N extends Names> = N extends readonly []
  ? []
  : [params: Readonly<Record<N[number], string | number>>]

/** The sentence with this key. */
export function said<K extends keyof typeof sayings>(
  key: K,
  ...[params]: Given<(typeof sayings)[K]>
): Said {
  return { key: `doctor.${key}`, params: params ?? {} }
}

/** What is wrong; several things, where they are mended as one. */
export type Trouble = { says: Said | Said[]; mend: Said }

/** The two sentences of a trouble: what is wrong, and how to mend it. */
export function trouble<K extends keyof typeof troubles>(
  key: K,
  ...[params]: Given<(typeof troubles)[K]>
): Trouble {
  const say = (what: string): Said => ({ key: `doctor.${key}.${what}`, params: params ?? {} })
  return { says: say('says'), mend: say('mend') }
}
