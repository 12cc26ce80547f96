/** One person as staff see her: everything that decides on her account, and of what is personal as much as is needed. */

import type { z } from 'zod'
import { accountName } from '#accounts/account-name.ts'
import { listAffiliations } from '#accounts/affiliations.ts'
import { keyText } from '#accounts/people-keys.ts'
import { openSchoolYear } from '#accounts/school-year.ts'
import { deriveKey, hmac } from '#lib/crypto.ts'
import { maskMail, maskNumber } from '#lib/mask.ts'
import { region } from '#lib/networks.ts'
import { clip } from '#lib/prose.ts'
import { isoOr, isoTime } from '#lib/time.ts'
import { listSessions } from '#oidc/sessions.ts'
import type { AccountRow, AffiliationRow, IdentifierRow, IdentityRow } from '#store/store.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { reachOf } from '../staff.ts'
import { reaches, withinOf } from './reach.ts'
import type { person } from './shapes.ts'

type Person = z.input<typeof person>

/** Claims that are shown for a reason only, and what stands in their place. */
export const maskedClaims: Record<string, (value: string) => string> = {
  phone_number: maskNumber,
  birthdate: () => '••••-••-••',
  address: () => '•••••',
}

/**
 * The version of a profile: whoever saves over a change made since is told so. It is keyed, because from a plain hash the
 * values that are masked could be guessed.
 */
export const versionOf = (dataKey: Buffer, { profile }: Pick<AccountRow, 'profile'>): string =>
  hmac(
    deriveKey(dataKey, 'versions of profiles'),
    JSON.stringify(
      Object.entries(profile)
        .map(([claim, { value }]) => [claim, value])
        .sort(),
    ),
  )

/** What is typed to confirm: what she is called by, if it can be typed as it is shown. A number is masked. */
function phraseOf(account: Pick<AccountRow, 'id' | 'profile'>, names: IdentifierRow[]) {
  const shown = names.filter(({ type }) => type !== 'phone')
  const called = [account.profile.name?.value ?? '', accountName(account, shown)]
  const phrase = called.find((one) => keyText(one) !== '' && clip(one) === one)
  return phrase ?? account.id.slice(0, 8)
}

/** Everything about one person within reach; `unknown` for anybody else. */
export async function findPerson(
  { store, config, keys, now }: Pick<AdminPorts, 'store' | 'config' | 'keys' | 'now'>,
  by: Acting,
  id: string,
): Promise<Outcome<Person>> {
  const account = await store.peopleSearch.find(id, withinOf(by))
  // Before anything else is read: how long it takes must not tell who is beyond reach from who does not exist.
  if (!account) return unknown
  const year = openSchoolYear(config.site.affiliations.school_year_begins, now)
  const [
    names,
    password,
    recovery,
    guardian,
    numbers,
    identities,
    affiliations,
    factors,
    sessions,
    consents,
    granted,
    agreements,
    applications,
    merges,
    roles,
  ] = await Promise.all([
    store.identifiers.ofAccount(id),
    store.credentials.findPassword(id),
    store.recoveryAddresses.find(id),
    store.guardians.find(id),
    store.personalNumbers.ofAccount(id),
    store.identities.ofAccount(id),
    listAffiliations(store, id, year),
    store.secondFactors.ofAccount(id),
    listSessions(store, id, by.at),
    store.consents.ofAccount(id),
    store.payloads.clientsGranted(id, by.at),
    store.agreements.ofAccount(id),
    store.applications.ofAccount(id),
    store.accountMerges.list({ accountId: id, limit: 100 }),
    store.staffRoles.of(id),
  ])
  const near = identities.filter(({ connector }) => reaches(by, connector))
  const connectors = new Set(config.connectors.map(({ id: one }) => one))
  return done({
    sub: account.id,
    kind: account.kind,
    status: account.status,
    name: account.profile.name?.value ?? '',
    createdAt: isoTime(account.createdAt),
    updatedAt: isoTime(account.updatedAt),
    closedAt: isoOr(account.closedAt),
    phrase: phraseOf(account, names),
    version: versionOf(keys.data, account),
    staff: roles.length > 0,
    ...(reachOf(by, 'staff.read')?.kind === 'all'
      ? {
          roles: roles.map(({ role, reach, grantedAt }) => ({
            role,
            reach,
            grantedAt: isoTime(grantedAt),
          })),
        }
      : {}),
    profile: Object.entries(account.profile).map(([claim, { value, by: whose, at, verified }]) => {
      const mask = maskedClaims[claim]
      const far = connectors.has(whose) && !reaches(by, whose)
      return {
        claim,
        value: mask ? mask(value) : value,
        masked: mask !== undefined,
        by: far ? 'elsewhere' : whose,
        at: isoTime(at),
        ...(verified === undefined ? {} : { verified }),
      }
    }),
    identifiers: names.map(({ type, value, verifiedAt }) => ({
      type,
      value: type === 'phone' ? maskNumber(value) : value,
      verifiedAt: isoOr(verifiedAt),
    })),
    password: password && { changedAt: isoTime(password.updatedAt) },
    recovery: recovery && {
      address: maskMail(recovery.value),
      since: isoTime(recovery.createdAt),
      confirmedAt: isoOr(recovery.confirmedAt),
    },
    guardian: guardian && {
      name: guardian.name,
      address: maskMail(guardian.email),
      agreedAt: isoTime(guardian.agreedAt),
    },
    numbers: numbers.map(({ type, createdAt }) => ({ type, since: isoTime(createdAt) })),
    identities: near.map((one) => ({
      id: one.id,
      county: one.connector,
      subject: one.subject,
      linkedAt: isoTime(one.createdAt),
      readAt: isoTime(one.readAt),
      unread: one.unread ?? [],
      fingerprint: one.fingerprint !== undefined,
    })),
    elsewhere: identities.length - near.length,
    affiliations: affiliations.flatMap((one) => affiliation(one, near)),
    secondFactors: factors.map(({ id: factor, type, label, createdAt, usedAt }) => ({
      id: factor,
      type,
      label,
      createdAt: isoTime(createdAt),
      usedAt: isoOr(usedAt),
    })),
    sessions: sessions.map((one) => ({
      id: one.uid,
      signedInAt: isoTime(one.signedInAt),
      lastSeenAt: isoOr(one.lastSeenAt),
      acr: one.acr,
      agent: one.agent,
      network: one.address === undefined ? undefined : region(one.address),
      apps: one.clients,
    })),
    apps: appsOf(consents, granted),
    agreements: agreements.map(({ terms, version, language, agreedAt }) => ({
      terms,
      version,
      language,
      agreedAt: isoTime(agreedAt),
    })),
    applications: applications.map(({ createdAt, updatedAt, ...one }) => ({
      ...one,
      createdAt: isoTime(createdAt),
      updatedAt: isoTime(updatedAt),
    })),
    merges: merges.map(({ id: merge, kept, merged, mergedAt, undoneAt }) => ({
      id: merge,
      role: kept === id ? ('kept' as const) : ('merged' as const),
      ...(withinOf(by) ? {} : { other: kept === id ? merged : kept }),
      mergedAt: isoTime(mergedAt),
      undoneAt: isoOr(undoneAt),
    })),
  })
}

/** Said by an upstream within reach. */
function affiliation(
  one: Omit<AffiliationRow, 'accountId'> & { stale: boolean },
  near: IdentityRow[],
): Person['affiliations'] {
  const source = near.find(({ id }) => id === one.identityId)
  if (!source) return []
  const { schoolCode: school, schoolName, role, titles, readAt, stale } = one
  const county = source.connector
  return [{ school, schoolName, role, titles, county, readAt: isoTime(readAt), stale }]
}

function appsOf(
  consents: { clientId: string; granted: { scopes: string[] }; at: number }[],
  granted: string[],
): Person['apps'] {
  const ids = new Set([...consents.map(({ clientId }) => clientId), ...granted])
  return [...ids].sort().map((client) => {
    const consent = consents.find(({ clientId }) => clientId === client)
    return {
      client,
      scopes: consent?.granted.scopes ?? [],
      consentedAt: isoOr(consent?.at),
      active: granted.includes(client),
    }
  })
}
