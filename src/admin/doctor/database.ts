/** Is the database there, safe, of our schema, and do its keys open? */
import type { SiteFile } from '#config/schema.ts'
import { WrongKeyError } from '#errors.ts'
import { day } from '#lib/time.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { keyRules } from '#oidc/key-schedule.ts'
import { changingKeys } from '#oidc/keys.ts'
import { openRing } from '#oidc/ring.ts'
import { readCondition } from '#store/condition.ts'
import { openStore, type Where } from '#store/store.ts'
import { explainDatabase } from './database-words.ts'
import { type Clock, type Finding, fail, ok, warn } from './finding.ts'
import { said, trouble } from './sayings.ts'

export type DatabasePorts = {
  where: Where
  site: SiteFile
  kek: KeyEncryption | undefined
  now: () => number
}

const check = said('check.database')

export async function checkDatabase(ports: DatabasePorts): Promise<[Finding[], Clock[]]> {
  const asked = ports.now()
  try {
    const condition = await readCondition(ports.where)
    if (!condition) return [[warn(check, trouble('database.none'))], []]
    const { version, supported, risks, clock, migrations } = condition
    const findings = [
      supported
        ? ok(check, said('database.answers', { version }))
        : fail(check, trouble('database.old', { version })),
      ...risks.map(({ risk, setting, value }) =>
        warn(said('check.risk', { setting }), trouble(`risk.${risk}`, { setting, value })),
      ),
      checkSchema(migrations),
    ]
    const clocks: Clock[] =
      clock === undefined ? [] : [{ whose: 'database', ahead: clock - (asked + ports.now()) / 2 }]
    if (migrations.pending.length > 0) return [findings, clocks]
    return [[...findings, ...(await checkRows(ports))], clocks]
  } catch (error) {
    return [[unreachable(error)], []]
  }
}

function checkSchema({ pending, unknown }: { pending: string[]; unknown: string[] }): Finding {
  const schema = said('check.schema')
  if (unknown.length > 0)
    return fail(schema, trouble('schema.later', { migrations: unknown.join(', ') }))
  if (pending.length === 0) return ok(schema, said('schema.current'))
  return warn(schema, trouble('schema.behind', { count: pending.length }))
}

async function checkRows({ where, site, kek, now }: DatabasePorts): Promise<Finding[]> {
  const store = openStore(where)
  try {
    const [rows, { dead }] = await Promise.all([store.keyRing.list(), store.outbox.counts()])
    const findings = [checkKeys(rows, { site, kek, now })]
    if (dead > 0) findings.push(warn(said('check.outbox'), trouble('outbox.dead', { count: dead })))
    return findings
  } finally {
    await store.close()
  }
}

function checkKeys(
  rows: Parameters<typeof openRing>[0],
  { site, kek, now }: Omit<DatabasePorts, 'where'>,
): Finding {
  const keys = said('check.keys')
  if (rows.length === 0) return warn(keys, trouble('keys.none'))
  if (!kek) return fail(keys, trouble('keys.sealed'))
  try {
    const ring = openRing(rows, kek)
    const at = Math.floor(now() / 1000)
    if (changingKeys(ring, at, keyRules(site)).signing.length === 0)
      return fail(keys, trouble('keys.none-signs'))
    const youngest = Math.max(
      ...ring.filter(({ purpose }) => purpose === 'signing').map(({ createdAt }) => createdAt),
    )
    const due = youngest + (site.keys.signing_days + 7) * day
    if (at > due)
      return warn(keys, trouble('keys.old', { days: Math.floor((at - youngest) / day) }))
    return ok(keys, said('keys.open', { count: rows.length }))
  } catch (error) {
    return fail(keys, unopened(error))
  }
}

function unopened(error: unknown) {
  if (!(error instanceof WrongKeyError))
    return trouble('keys.unreadable', { said: messageOf(error) })
  const { sealedUnder: sealed, given } = error
  return sealed
    ? trouble('keys.sealed-under', { sealed, given: given.join(', ') })
    : trouble('keys.other')
}

const unreachable = (error: unknown): Finding =>
  fail(
    check,
    explainDatabase(error) ?? trouble('database.fails', { said: messageOf(error).slice(0, 200) }),
  )

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
