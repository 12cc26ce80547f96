/** Does what was judged, in the transaction it was judged in: many people by a statement for all of them. */
import { randomUUID } from 'node:crypto'
import type { Attribute, Tables } from '#store/store.ts'
import { endAll } from '../ending.ts'
import { phoneOf, type Verdict } from './judge.ts'
import type { Person } from './read-row.ts'

export type Writing = { importId: string; actor: string; at: number }

/**
 * Ids nobody signs in with, near each other where they are made together: an index takes a batch in at one place, where
 * it would write a page for each row. Accounts' own stay wholly random: apps are told those.
 */
function openNearIds(): () => string {
  const head = randomUUID().slice(0, 4)
  return () => head + randomUUID().slice(4)
}

type Created = {
  verdict: Verdict & { outcome: 'created' }
  accountId: string
  identityId: string
  credentialId: string
}

/** The verdicts as they came out: of a name somebody took at this very moment the row is refused. */
export async function write(
  tables: Tables,
  verdicts: Verdict[],
  writing: Writing,
): Promise<Verdict[]> {
  const nearId = openNearIds()
  const created = verdicts.flatMap((verdict): Created[] =>
    verdict.outcome === 'created'
      ? [{ verdict, accountId: randomUUID(), identityId: nearId(), credentialId: nearId() }]
      : [],
  )
  const lost = await create(tables, created, writing)
  const after: Verdict[] = []
  for (const verdict of verdicts) {
    if (verdict.outcome !== 'updated') after.push(lost.get(verdict.row) ?? verdict)
    else after.push(await update(tables, verdict, writing))
  }
  return after
}

async function create(
  tables: Tables,
  created: Created[],
  writing: Writing,
): Promise<Map<number, Verdict>> {
  const { bulkPeople } = tables
  const { at } = writing
  await bulkPeople.create(
    created.map(({ verdict: { person }, accountId }) => ({
      id: accountId,
      kind: person.kind ?? 'person',
      status: person.status ?? 'active',
      profile: profileOf(person, at),
      createdAt: at,
      updatedAt: at,
    })),
  )
  const lost = new Map<number, Verdict>()
  const lose = (
    { verdict: { row, person, problems } }: Created,
    field: string,
    code: 'taken' | 'identity-taken',
  ) =>
    lost.set(row, {
      row,
      person,
      outcome: 'refused',
      problems: [...problems, { field, code }],
    })

  const names = created.flatMap((one) => namesOf(one.verdict.person).map((name) => ({ one, name })))
  const taken = await bulkPeople.takeNames(
    names.map(({ one: { accountId }, name: { type, value, verified } }) => ({
      type,
      value,
      accountId,
      ...(verified ? { verifiedAt: at } : {}),
    })),
  )
  const got = new Set(taken.map(({ type, value }) => JSON.stringify([type, value])))
  for (const { one, name } of names)
    if (!got.has(JSON.stringify([name.type, name.value]))) lose(one, 'account', 'taken')

  const links = created.flatMap((one) => {
    const { link } = one.verdict.person
    return link ? [{ one, link }] : []
  })
  const linked = await bulkPeople.link(
    links.map(({ one: { accountId, identityId }, link }) => ({
      id: identityId,
      accountId,
      ...link,
      createdAt: at,
    })),
  )
  const gotLinks = new Set(linked.map((one) => JSON.stringify([one.issuer, one.subject])))
  // One login may be spelt in two ways, and then two rows of the file claim it: the first has it.
  for (const { one, link } of links)
    if (!gotLinks.delete(JSON.stringify([link.issuer, link.subject])))
      lose(one, 'subject', 'identity-taken')

  const kept = created.filter(({ verdict }) => !lost.has(verdict.row))
  await bulkPeople.unmake(
    created.flatMap(({ verdict, accountId }) => (lost.has(verdict.row) ? [accountId] : [])),
  )
  await bulkPeople.addCredentials(
    kept.flatMap(({ verdict: { person }, accountId, credentialId }) =>
      person.secret === undefined
        ? []
        : [
            {
              id: credentialId,
              accountId,
              type: 'password' as const,
              secret: person.secret,
              createdAt: at,
              updatedAt: at,
            },
          ],
    ),
  )
  await bulkPeople.addAffiliations(
    kept.flatMap(({ verdict: { person }, ...ids }) => schoolOf(person, ids, at)),
  )
  for (const { accountId } of kept) await record(tables, 'account.create', accountId, writing)
  return lost
}

const namesOf = ({ account, email }: Person) => [account, email].flatMap((one) => one ?? [])

function profileOf({ profile, account }: Person, at: number): Record<string, Attribute> {
  const vouched = { by: 'staff', at }
  return {
    name: { value: profile.name, ...vouched },
    ...(account ? { preferred_username: { value: account.value, ...vouched } } : {}),
    ...(profile.email ? { email: { ...profile.email, ...vouched } } : {}),
    ...(profile.phone === undefined ? {} : { phone_number: phoneOf(profile.phone, at) }),
  }
}

const schoolOf = (
  { school, link }: Person,
  { accountId, identityId }: { accountId: string; identityId: string },
  at: number,
) =>
  school && link
    ? [
        {
          identityId,
          accountId,
          position: 0,
          schoolCode: school.code,
          role: school.role,
          titles: school.titles,
          classes: [],
          readAt: at,
        },
      ]
    : []

async function update(
  tables: Tables,
  verdict: Verdict & { outcome: 'updated' },
  writing: Writing,
): Promise<Verdict> {
  const { accountId, changes, person, row, problems } = verdict
  const { at } = writing
  const { link } = changes
  if (link) {
    const identityId = randomUUID()
    const made = await tables.bulkPeople.link([
      { id: identityId, accountId, ...link, createdAt: at },
    ])
    if (made.length === 0) {
      const lost = { field: 'subject', code: 'identity-taken' as const }
      return { row, person, accountId, outcome: 'refused', problems: [...problems, lost] }
    }
    await tables.bulkPeople.addAffiliations(schoolOf(person, { accountId, identityId }, at))
  }
  if (changes.profile) await tables.accounts.setProfile(accountId, changes.profile, at)
  if (changes.kind !== undefined) await tables.accounts.setKind(accountId, changes.kind, at)
  if (changes.status) {
    await tables.accounts[changes.status === 'active' ? 'reactivate' : 'suspend'](accountId, at)
    // What a sign-in under way left behind while she was kept out is not good now either.
    await endAll(tables, accountId, at)
  }
  await record(tables, 'account.update', accountId, writing, { changed: Object.keys(changes) })
  return verdict
}

const record = (
  { audit }: Pick<Tables, 'audit'>,
  action: string,
  target: string,
  { importId, actor, at }: Writing,
  details: Record<string, unknown> = {},
) =>
  audit.record({
    at,
    actor,
    action,
    target,
    outcome: 'ok',
    details: { import: importId, ...details },
  })
