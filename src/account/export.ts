/** Everything we hold of a member, as she may have it (個人資料保護法 §3): less what only proves that she is herself. */

import type { Moved } from '#accounts/merging.ts'
import { openNumber } from '#accounts/personal-numbers.ts'
import { isoOr, isoTime } from '#lib/time.ts'
import { listSessions } from '#oidc/sessions.ts'
import type { AuditRow, Store } from '#store/store.ts'
import { type Acting, acted } from './act.ts'
import { listMerges } from './merge.ts'

export type ExportPorts = {
  issuer: string
  /** Opens personal numbers. */
  numberKey: Buffer
}

/** The trail is never cut: a page of it is read at a time. */
const page = 500

export async function exportAccount(
  store: Store,
  acting: Acting,
  { issuer, numberKey }: ExportPorts,
): Promise<Record<string, unknown>> {
  const { accountId, at } = acting
  const account = await store.accounts.find(accountId)
  if (!account) throw new Error('an account is exported by its member')
  const [
    names,
    password,
    recovery,
    identities,
    affiliations,
    agreements,
    guardian,
    consents,
    choices,
    sessions,
    picture,
    numbers,
    factors,
    merges,
    signIns,
  ] = await Promise.all([
    store.identifiers.ofAccount(accountId),
    store.credentials.findPassword(accountId),
    store.recoveryAddresses.find(accountId),
    store.identities.ofAccount(accountId),
    store.affiliations.ofAccount(accountId),
    store.agreements.ofAccount(accountId),
    store.guardians.find(accountId),
    store.consents.ofAccount(accountId),
    store.affiliationChoices.ofAccount(accountId),
    listSessions(store, accountId, at),
    store.pictures.find(accountId),
    store.personalNumbers.ofAccount(accountId),
    store.secondFactors.ofAccount(accountId),
    listMerges(store, accountId),
    allSignIns(store, accountId),
  ])
  await store.audit.record(acted(acting, 'account.export'))

  return {
    exportedAt: isoTime(at),
    from: issuer,
    account: {
      sub: account.id,
      kind: account.kind,
      status: account.status,
      createdAt: isoTime(account.createdAt),
      updatedAt: isoTime(account.updatedAt),
    },
    profile: Object.entries(account.profile).map(([attribute, { value, by, at, verified }]) => ({
      attribute,
      value,
      vouchedBy: by,
      since: isoTime(at),
      verified,
    })),
    identifiers: names.map(({ type, value, verifiedAt }) => ({
      type,
      value,
      verifiedAt: isoOr(verifiedAt),
    })),
    password: password ? { set: true, changedAt: isoTime(password.updatedAt) } : { set: false },
    secondFactors: factors.map(({ type, label, createdAt, usedAt }) => ({
      type,
      label,
      since: isoTime(createdAt),
      usedAt: isoOr(usedAt),
    })),
    recoveryAddress: recovery && {
      address: recovery.value,
      since: isoTime(recovery.createdAt),
      confirmedAt: isoOr(recovery.confirmedAt),
    },
    identities: identities.map((one) => ({
      connector: one.connector,
      issuer: one.issuer,
      subject: one.subject,
      formerOpenIds: one.openid2Ids,
      claims: one.raw,
      linkedAt: isoTime(one.createdAt),
      readAt: isoTime(one.readAt),
    })),
    affiliations: affiliations.map(({ accountId: _, identityId, readAt, ...one }) => ({
      ...one,
      vouchedBy: identities.find(({ id }) => id === identityId)?.connector,
      readAt: isoTime(readAt),
    })),
    personalNumbers: numbers.map(({ type, sealed, createdAt }) => ({
      type,
      number: openNumber(numberKey, { type, accountId, sealed }),
      since: isoTime(createdAt),
    })),
    agreements: agreements.map(({ accountId: _, agreedAt, ...one }) => ({
      ...one,
      agreedAt: isoTime(agreedAt),
    })),
    guardian: guardian && {
      name: guardian.name,
      email: guardian.email,
      // From where is the guardian's own affair.
      agreedAt: isoTime(guardian.agreedAt),
    },
    consents: consents.map(({ clientId, granted, at }) => ({
      app: clientId,
      ...granted,
      since: isoTime(at),
    })),
    affiliationChoices: [...choices].map(([app, affiliation]) => ({ app, affiliation })),
    sessions: sessions.map(({ signedInAt, lastSeenAt, ...one }) => ({
      ...one,
      signedInAt: isoTime(signedInAt),
      lastSeenAt: isoOr(lastSeenAt),
    })),
    merges: merges.map(({ mergedAt, undoneAt, moved, ...one }) => ({
      ...one,
      mergedAt: isoTime(mergedAt),
      undoneAt: isoOr(undoneAt),
      // Parted again, it is the other account's.
      moved: one.role === 'kept' && undoneAt === undefined ? movedOf(moved) : undefined,
    })),
    signIns: signIns.map(({ at, target, outcome, address, details }) => ({
      at: isoTime(at),
      app: target.replace(/^client:/, ''),
      outcome,
      address,
      ...details,
    })),
    picture: picture && {
      type: picture.type,
      updatedAt: isoTime(picture.updatedAt),
      base64: picture.bytes.toString('base64'),
    },
  }
}

function movedOf(text: string) {
  const { rows = [], profile = {} }: Partial<Moved> = JSON.parse(text)
  return { rows: rows.map(({ mark: _, ...row }) => row), attributes: Object.keys(profile) }
}

async function allSignIns({ auditReads }: Pick<Store, 'auditReads'>, accountId: string) {
  const all: AuditRow[] = []
  for (;;) {
    const more = await auditReads.signIns(accountId, all.at(-1), page)
    all.push(...more)
    if (more.length < page) return all
  }
}
