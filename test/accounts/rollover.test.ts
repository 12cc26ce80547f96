import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import {
  affiliationsToward,
  listAffiliations,
  mustChooseAffiliation,
} from '#accounts/affiliations.ts'
import { openSchoolYear } from '#accounts/school-year.ts'
import type { Store } from '#store/store.ts'
import { openBrowser } from '../helpers/browser.ts'
import { buildStore } from '../helpers/database.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { addSchools } from '../helpers/sign-in.ts'
import { buildWorld } from '../helpers/world.ts'

const moment = (iso: string) => Date.parse(iso)
const second = (iso: string) => moment(iso) / 1000

const readings = [
  // When it was read, what time it is, whether it is last year's.
  ['2026-07-31T23:59:59+08:00', '2026-07-31T23:59:59+08:00', false],
  ['2026-07-31T23:59:59+08:00', '2026-08-01T00:00:00+08:00', true],
  ['2026-08-01T00:00:00+08:00', '2026-08-01T00:00:00+08:00', false],
  // In Greenwich it is August only eight hours later.
  ['2026-07-31T16:00:00Z', '2026-07-31T16:00:00Z', false],
  ['2026-07-31T15:59:59Z', '2026-07-31T16:00:00Z', true],
  // New Year is none.
  ['2025-08-01T00:00:00+08:00', '2026-07-31T23:59:59+08:00', false],
  ['2025-12-31T23:59:59+08:00', '2026-01-01T00:00:00+08:00', false],
  ['2025-07-31T23:59:59+08:00', '2026-01-01T00:00:00+08:00', true],
  ['2024-09-01T00:00:00+08:00', '2026-07-31T00:00:00+08:00', true],
] as const

for (const [read, now, past] of readings)
  test(`what was read at ${read} is ${past ? 'last' : 'this'} school year's at ${now}`, (t) => {
    t.is(openSchoolYear('08-01', () => moment(now)).isPast(second(read)), past)
  })

test('without a day on which school years begin nothing grows old', (t) => {
  t.false(openSchoolYear(undefined, () => moment('2026-09-01T00:00:00Z')).isPast(0))
})

/** A teacher at two schools, as two counties said on two days. */
async function buildTeacher(t: ExecutionContext) {
  const store = await buildStore(t)
  const accountId = randomUUID()
  const at = second('2025-09-01T00:00:00+08:00')
  const row = { id: accountId, kind: 'person', status: 'active' as const, profile: {} }
  await store.accounts.create({ ...row, createdAt: at, updatedAt: at })
  await vouch(store, accountId, '014569', second('2026-06-30T00:00:00+08:00'))
  await vouch(store, accountId, '054321', second('2026-08-01T00:00:00+08:00'))
  return { store, accountId }
}

async function vouch(store: Store, accountId: string, schoolCode: string, readAt: number) {
  const identityId = randomUUID()
  await store.identities.link({
    id: identityId,
    accountId,
    connector: 'ntpc',
    issuer: 'https://ntpc.sso.edu.tw',
    subject: schoolCode,
    openid2Ids: [],
    raw: {},
    createdAt: readAt,
    readAt,
  })
  const one = { schoolCode, role: 'teacher', titles: ['教師'], classes: [], readAt }
  await store.affiliations.replace(identityId, [{ identityId, accountId, ...one }])
}

test('on 1 August last year’s school is kept for her and no longer hers to act in', async (t) => {
  const { store, accountId } = await buildTeacher(t)
  const codes = (list: { schoolCode: string }[]) => list.map(({ schoolCode }) => schoolCode)
  const july = openSchoolYear('08-01', () => moment('2026-07-31T23:59:59+08:00'))
  t.is((await affiliationsToward(store, accountId, 'app', july)).length, 2)
  t.true(await mustChooseAffiliation(store, accountId, 'app', july))
  await store.affiliationChoices.choose(accountId, 'app', '014569:teacher', 1)

  const august = openSchoolYear('08-01', () => moment('2026-08-01T00:00:00+08:00'))
  t.deepEqual(codes(await affiliationsToward(store, accountId, 'app', august)), ['054321'])
  t.false(await mustChooseAffiliation(store, accountId, 'app', august), 'one is left')
  t.like(await listAffiliations(store, accountId, august), [
    { schoolCode: '054321', stale: false },
    { schoolCode: '014569', stale: true },
  ])
})

test('an app is not told last year’s school, at no door, until the county says it anew', async (t) => {
  // However late in the school year it is just now, this is the next one.
  let now = Date.now()
  const world = await buildWorld(t, { now: () => now })
  const { store } = world.house
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  await addSchools(world, person.sub, ['014569', '054321'])
  const inOneYear = Math.floor(now / 1000) + 366 * 24 * 60 * 60

  const enter = async () => {
    const browser = openBrowser()
    const page = await rp.begin(browser, { scope: 'openid eduinfo' })
    const back = await browser.submit(page, 'local-form', person)
    return { browser, back }
  }
  const asked = await enter()
  t.truthy(asked.back.document.querySelector('#affiliation-form'), 'two schools to choose from')
  const chosen = await asked.browser.submit(asked.back, 'affiliation-form', {
    affiliation: '014569:teacher',
  })
  const before = (await rp.redeem(chosen.url)).body.access_token
  t.like((await rp.get('/me', before)).body, { eduinfo: { schoolid: '014569' } })

  const identities = await store.identities.ofAccount(person.sub)
  const [identity] = identities
  now = inOneYear * 1000
  const later = await enter()
  t.true(arrivedAt(rp, later.back), 'nothing to choose from')
  const token = (await rp.redeem(later.back.url)).body.access_token
  for (const path of ['/me', '/eduinfo/v1', '/eduinfo/v2']) {
    const { body } = await rp.get(path, token)
    const told = (body.eduinfo ?? body) as Record<string, unknown>
    t.deepEqual(told.titles, [], path)
    t.is(told.schoolid, undefined, path)
  }
  const account = await later.browser.open(`${world.issuer}/account`)
  t.true(account.html.includes('去年的資料'), account.url.href)

  if (identity) await store.identities.confirm(identity, inOneYear, '')
  t.like((await rp.get('/eduinfo/v1', token)).body, { schoolid: '014569' })
  const anew = await later.browser.open(`${world.issuer}/account`)
  t.false(anew.html.includes('去年的資料'))
})
