/**
 * What a test sign-in brought: kept sealed for the one who made it and the browser she made it in, until she has seen it or
 * ten minutes are over. It says who somebody is and is no sign-in: nothing here finds or changes an account.
 */
import type { ConnectorConfig } from '#config/connector.ts'
import type { UpstreamError, UpstreamFailure } from '#errors.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { seal, sha256, unseal } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store } from '#store/store.ts'
import { type Passed, passedOf, stagesOf } from './stages.ts'

const goodForSeconds = 10 * 60
/** Letters of claims that are kept: a page that nobody reads to its end. */
const longestClaims = 40_000

export type TestResult = {
  at: number
  /** Milliseconds from leaving to being back, with the time she took there, and for our own calls. */
  away: number
  took?: number
  stages: Passed[]
} & (
  | { kind: 'well'; said: Said }
  /** `why`: English words of ours. */
  | { kind: 'failed'; failure: UpstreamFailure | 'not-connected'; why?: string; status?: number }
)

export type Said = Pick<
  UpstreamIdentity,
  'issuer' | 'subject' | 'profile' | 'affiliations' | 'openid2Ids' | 'acr' | 'amr' | 'authTime'
> & {
  former: { issuer: string; subject: string }[]
  unread: string[]
  fingerprint: boolean
  session: { named: boolean; signsOut: boolean }
  /** The claims as they came, less tokens and personal numbers: JSON. */
  raw: string
}

export type TestPlace = {
  connector: string
  /** Her account's id. */
  staff: string
  device: string
}

export type TestPorts = {
  store: Pick<Store, 'transaction' | 'upstreamTests'>
  now: Now
  dataKey: Buffer
}

/** She came back with an identity. */
export const brought = (
  file: ConnectorConfig,
  identity: UpstreamIdentity,
  times: Pick<TestResult, 'at' | 'away' | 'took'>,
): TestResult => ({
  ...times,
  kind: 'well',
  stages: passedOf(stagesOf(file), undefined),
  said: saidBy(identity),
})

/** `cause` is undefined where the upstream is not connected. */
export const failed = (
  file: ConnectorConfig,
  cause: UpstreamError | undefined,
  times: Pick<TestResult, 'at' | 'away'>,
): TestResult => ({
  ...times,
  kind: 'failed',
  failure: cause?.failure ?? 'not-connected',
  stages: cause ? passedOf(stagesOf(file), { at: cause.stage }) : [],
  ...(cause ? { why: cause.message.slice(0, 300) } : {}),
  ...(cause?.status === undefined ? {} : { status: cause.status }),
})

function saidBy(identity: UpstreamIdentity): Said {
  const { issuer, subject, profile, affiliations, openid2Ids, acr, amr, authTime } = identity
  const { former = [], unread = [], fingerprint, session, raw } = identity
  return {
    issuer,
    subject,
    profile,
    affiliations,
    openid2Ids,
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
    ...(authTime === undefined ? {} : { authTime }),
    former,
    unread,
    fingerprint: fingerprint !== undefined,
    session: { named: session?.sid !== undefined, signsOut: session?.signsOut === true },
    raw: JSON.stringify(raw, null, 2).slice(0, longestClaims),
  }
}

const idOf = ({ connector, staff, device }: TestPlace) =>
  sha256(JSON.stringify(['upstream test', connector, staff, device]))
const context = (id: string) => `upstream_test.result.${id}`

/** In place of an earlier one of hers. */
export async function keepTest(
  { store, now, dataKey }: TestPorts,
  place: TestPlace,
  result: TestResult,
  where: Circumstances,
): Promise<void> {
  const id = idOf(place)
  const { connector, staff } = place
  const at = seconds(now)
  await store.transaction(async (tables) => {
    await tables.upstreamTests.keep({
      id,
      connector,
      accountId: staff,
      result: seal(dataKey, JSON.stringify(result), context(id)),
      expiresAt: at + goodForSeconds,
    })
    await tables.audit.record({
      at,
      actor: staff,
      action: 'upstream.test',
      target: `connector:${connector}`,
      outcome: result.kind === 'well' ? 'ok' : result.failure,
      ...where,
    })
  })
}

/** Shown once: it is gone then. */
export async function takeTest(
  { store, now, dataKey }: TestPorts,
  place: TestPlace,
): Promise<TestResult | undefined> {
  const id = idOf(place)
  const { connector, staff: accountId } = place
  const sealed = await store.upstreamTests.take({ id, connector, accountId }, seconds(now))
  return sealed === undefined ? undefined : JSON.parse(unseal(dataKey, sealed, context(id)))
}
