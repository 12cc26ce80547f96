/** Is the database there, safe, of our schema, and do its keys open? */
import type { SiteFile } from '#config/schema.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { keyRules } from '#oidc/key-schedule.ts'
import { changingKeys } from '#oidc/keys.ts'
import { openRing } from '#oidc/ring.ts'
import { readCondition } from '#store/condition.ts'
import { openStore, type Where } from '#store/store.ts'
import { explainDatabase } from './database-words.ts'
import { type Clock, type Finding, fail, ok, warn } from './finding.ts'

export type DatabasePorts = {
  where: Where
  site: SiteFile
  kek: KeyEncryption | undefined
  now: () => number
}

export async function checkDatabase(ports: DatabasePorts): Promise<[Finding[], Clock[]]> {
  const asked = ports.now()
  try {
    const condition = await readCondition(ports.where)
    if (!condition) {
      const start =
        'run `citygate migrate`, or start the server; check DATA_DIR if you expected one'
      return [[warn('database', 'there is no database yet', start)], []]
    }
    const { version, supported, risks, clock, migrations } = condition
    const findings = [
      supported
        ? ok('database', `${version} answers`)
        : fail('database', `${version} is older than we know`, 'upgrade to PostgreSQL 15 or later'),
      ...risks.map(({ setting, means, mend }) => warn(`database ${setting}`, means, mend)),
      checkSchema(migrations),
    ]
    const clocks =
      clock === undefined
        ? []
        : [{ whose: 'the database', ahead: clock - (asked + ports.now()) / 2 }]
    if (migrations.pending.length > 0) return [findings, clocks]
    return [[...findings, ...(await checkRows(ports))], clocks]
  } catch (error) {
    return [[unreachable(error)], []]
  }
}

function checkSchema({ pending, unknown }: { pending: string[]; unknown: string[] }): Finding {
  if (unknown.length > 0) {
    const says = `the schema is of a later release (it has ${unknown.join(', ')})`
    return fail('schema', says, 'run that release or a later one on this database')
  }
  if (pending.length === 0) return ok('schema', 'is of this release')
  return warn('schema', `${pending.length} migrations wait`, 'run `citygate migrate`')
}

async function checkRows({ where, site, kek, now }: DatabasePorts): Promise<Finding[]> {
  const store = openStore(where)
  try {
    const [rows, messages] = await Promise.all([store.keyRing.list(), store.outbox.counts()])
    const findings = [checkKeys(rows, { site, kek, now })]
    if (messages.dead > 0) {
      const says = `${messages.dead} messages were given up`
      findings.push(warn('outbox', says, 'see `citygate outbox list`'))
    }
    return findings
  } finally {
    await store.close()
  }
}

const day = 24 * 60 * 60

function checkKeys(
  rows: Parameters<typeof openRing>[0],
  { site, kek, now }: Omit<DatabasePorts, 'where'>,
): Finding {
  if (rows.length === 0) return warn('keys', 'there are none yet', 'the first start makes them')
  if (!kek) {
    const mend = 'set CITYGATE_KEK, or put the file key-encryption-key back into DATA_DIR'
    return fail('keys', 'they are sealed, and there is no key-encryption key', mend)
  }
  try {
    const ring = openRing(rows, kek)
    const at = Math.floor(now() / 1000)
    if (changingKeys(ring, at, keyRules(site)).signing.length === 0) {
      return fail('keys', 'no key signs', 'run `citygate key rotate --now`')
    }
    const youngest = Math.max(
      ...ring.filter(({ purpose }) => purpose === 'signing').map(({ createdAt }) => createdAt),
    )
    const due = youngest + (site.keys.signing_days + 7) * day
    if (at > due) {
      const says = `no signing key was made for ${Math.floor((at - youngest) / day)} days`
      return warn(
        'keys',
        says,
        'a running server rotates them: is one running? `citygate key rotate` does it now',
      )
    }
    return ok('keys', `${rows.length} keys open with the key-encryption key`)
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    return fail(
      'keys',
      says,
      'give the CITYGATE_KEK this database was made with or last changed to',
    )
  }
}

function unreachable(error: unknown): Finding {
  const known = explainDatabase(error)
  if (known) return fail('database', known.says, known.mend)
  const said = error instanceof Error ? error.message : String(error)
  const mend = 'is it running and reachable from here? See DATABASE_URL and DATA_DIR'
  return fail('database', `does not answer: ${said.slice(0, 200)}`, mend)
}
