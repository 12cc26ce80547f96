/** People are found by what they are known by, on both engines, and what is known of them keeps up. */
import test, { type ExecutionContext } from 'ava'
import { indexPeople, keysOf, keyText } from '#accounts/people-keys.ts'
import { openIndexing } from '#jobs/index-people.ts'
import { openDatabase } from '#store/database.ts'
import { openPeopleSearch } from '#store/people-search.ts'
import type { PeopleFilter, PeopleOrder, PeoplePlace, Store } from '#store/store.ts'
import { buildStore, engines } from '../helpers/database.ts'

function contract(title: string, story: (t: ExecutionContext, store: Store) => Promise<void>) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, async (t) => story(t, await buildStore(t, engine)))
  }
}

type Person = {
  id: string
  name: string
  account?: string
  connector?: string
  subject?: string
  school?: string
  at?: number
  status?: 'active' | 'suspended' | 'closed'
}

async function build(store: Store, person: Person) {
  const { id, name, account, connector, subject = id, school, at = 1, status = 'active' } = person
  const profile = { name: { value: name, by: 'self', at } }
  await store.accounts.create({ id, kind: 'person', status, profile, createdAt: at, updatedAt: at })
  if (account) {
    const type = account.includes('@') ? 'email' : 'username'
    await store.identifiers.take({ type, value: account, accountId: id })
  }
  if (!connector) return
  const link = {
    id: `${id}-link`,
    accountId: id,
    connector,
    issuer: `https://${connector}.example`,
  }
  const said = { subject, openid2Ids: [], raw: {}, createdAt: at, readAt: at }
  await store.identities.link({ ...link, ...said })
  if (!school) return
  const row = { identityId: link.id, accountId: id, schoolCode: school, role: 'student' }
  await store.affiliations.replace(link.id, [{ ...row, titles: [], classes: [], readAt: at }])
}

async function buildAll(store: Store, people: Person[]) {
  for (const one of people) await build(store, one)
  await indexPeople(
    store,
    people.map(({ id }) => id),
  )
}

/** Every page, one after the other. */
async function walk(store: Store, filter: PeopleFilter, order: PeopleOrder, limit: number) {
  const pages: string[][] = []
  let after: PeoplePlace | undefined
  do {
    const { ids, next } = await store.peopleSearch.page(filter, order, { after, limit, except: [] })
    pages.push(ids)
    after = next
  } while (after && pages.length < 50)
  return pages
}

const found = async (store: Store, begins: string, more: PeopleFilter = {}) =>
  (await walk(store, { ...more, begins: keyText(begins) }, 'match', 50)).flat().sort()

test('keys are what somebody may type of a name, an account or an address', (t) => {
  const by = { by: 'self', at: 1 }
  const keys = (name: string) =>
    keysOf({ profile: { name: { value: name, ...by } }, names: [] }).map(({ value }) => value)
  t.deepEqual(keys('王小明').sort(), ['小明', '明', '王小明'].sort())
  t.deepEqual(
    keys('王 小　明').sort(),
    ['小明', '明', '王小明'].sort(),
    'blanks between characters',
  )
  t.deepEqual(keys('Anne-Marie Lin'), ['anne-marie lin', 'lin', 'marie lin'])
  t.deepEqual(keys('Ｗａｎｇ'), ['wang'])
  t.is(keys('王'.repeat(60)).length, 10, 'no name fills the table')
  t.deepEqual(keys('\u202e<b>'), ['b>'])
  t.deepEqual(keys('\u0000\u200b'), [])
  const phone = [{ type: 'phone', value: '+886912345678' }]
  t.deepEqual(keysOf({ profile: {}, names: phone }), [], 'nobody guesses a number digit by digit')
})

contract(
  'people are found by the beginning of a name, from any character of it',
  async (t, store) => {
    await buildAll(store, [
      { id: 'a', name: '王小明', account: 'wang@mail.edu.tw' },
      { id: 'b', name: '陳小明', account: 'chen' },
      { id: 'c', name: '王大明' },
      { id: 'd', name: 'Wang Lin' },
    ])
    t.deepEqual(await found(store, '王'), ['a', 'c'])
    t.deepEqual(await found(store, '小明'), ['a', 'b'])
    t.deepEqual(await found(store, '明'), ['a', 'b', 'c'])
    t.deepEqual(await found(store, 'WANG'), ['a', 'd'])
    t.deepEqual(await found(store, 'lin'), ['d'])
    t.deepEqual(await found(store, 'wang@mail'), ['a'])
    t.deepEqual(await found(store, 'nobody'), [])
    // Nothing of it is a pattern, and nothing of it is SQL.
    for (const text of ['%', '_', '王%', "'; DROP TABLE account; --", '\\', '王_明', '"', '?']) {
      t.deepEqual(await found(store, text), [], text)
    }
  },
)

contract('a whole address, an upstream’s subject and an id need no index', async (t, store) => {
  await build(store, { id: 'a', name: '王小明', account: 'wang@mail.edu.tw' })
  await build(store, { id: 'b', name: '陳', connector: 'ntpc', subject: 'Teacher1' })
  await store.recoveryAddresses.put({ accountId: 'a', value: 'home@mail.example', createdAt: 1 })
  const exactly = async (typed: string, filter: PeopleFilter = {}) => {
    const name = typed.toLowerCase()
    const wanted = { names: [name], subject: typed, personal: name }
    return (await store.peopleSearch.exactly(wanted, filter)).map(({ id }) => id)
  }
  t.deepEqual(await exactly('WANG@mail.edu.tw'), ['a'])
  t.deepEqual(await exactly('home@mail.example'), ['a'])
  t.deepEqual(await exactly('home'), [], 'a recovery address is not guessed letter by letter')
  for (let i = 0; i < 60; i++) {
    const id = `0-${String(i).padStart(2, '0')}`
    await build(store, { id, name: '家', connector: i === 59 ? 'last' : 'first' })
    await store.recoveryAddresses.put({ accountId: id, value: 'all@mail.example', createdAt: 1 })
  }
  const wang = { names: ['home@mail.example'], subject: 'home@mail.example' }
  t.deepEqual(await store.peopleSearch.exactly(wang, {}), [], 'nobody asked for what is masked')
  const home = { ...wang, personal: 'home@mail.example' }
  t.deepEqual(await store.peopleSearch.exactly(home, {}), [{ id: 'a', hidden: true }])
  const own = { ...home, names: ['wang@mail.edu.tw', 'x'], personal: 'home@mail.example' }
  t.deepEqual(await store.peopleSearch.exactly(own, {}), [{ id: 'a', hidden: false }])
  const shared = { names: ['x'], subject: '', personal: 'all@mail.example' }
  t.is((await store.peopleSearch.exactly(shared, {})).length, 50)
  const near = await store.peopleSearch.exactly(shared, { within: ['last'] })
  t.deepEqual(near, [{ id: '0-59', hidden: true }], 'whoever is out of reach takes nobody’s place')
  t.deepEqual(await exactly('Teacher1'), ['b'])
  t.deepEqual(await exactly('teacher1'), [], 'subjects are compared letter by letter')
  t.deepEqual(await exactly('b'), ['b'])
  t.deepEqual(await exactly('Teacher1', { within: ['ntpc'] }), ['b'])
  t.deepEqual(await exactly('Teacher1', { within: ['tyc'] }), [])
  t.deepEqual(await exactly('wang@mail.edu.tw', { within: ['ntpc'] }), [])
})

contract(
  'filters narrow what is found, and a county’s staff find nobody else',
  async (t, store) => {
    await buildAll(store, [
      { id: 'a', name: '王一', connector: 'ntpc', school: '014569', at: 10 },
      { id: 'b', name: '王二', connector: 'ntpc', school: '014570', at: 20, status: 'suspended' },
      { id: 'c', name: '王三', connector: 'tyc', school: '014569', at: 30 },
      { id: 'd', name: '王四', at: 40, status: 'closed' },
    ])
    const listed = async (filter: PeopleFilter, order: PeopleOrder = 'updated') =>
      (await walk(store, filter, order, 50)).flat()
    t.deepEqual(await listed({}), ['d', 'c', 'b', 'a'], 'the newest first')
    t.deepEqual(await listed({}, 'created'), ['d', 'c', 'b', 'a'])
    t.deepEqual(await listed({ within: ['ntpc'] }), ['b', 'a'])
    t.deepEqual(await listed({ within: ['ntpc', 'tyc'] }), ['c', 'b', 'a'])
    t.deepEqual(await listed({ within: [] }), [])
    t.deepEqual(await listed({ school: '014569' }), ['c', 'a'])
    t.deepEqual(await listed({ school: '014569', within: ['ntpc'] }), ['a'])
    t.deepEqual(await listed({ status: 'suspended' }), ['b'])
    t.deepEqual(await listed({ status: 'active', kind: 'person' }), ['c', 'a'])
    t.deepEqual(await listed({ kind: 'teacher' }), [])
    t.deepEqual(await found(store, '王', { within: ['ntpc'] }), ['a', 'b'])
    t.deepEqual(await found(store, '王', { within: ['ntpc'], status: 'active' }), ['a'])
    t.deepEqual(await listed({ begins: '王', status: 'closed' }), ['d'])
    t.is(await store.peopleSearch.find('a', ['tyc']), undefined)
    t.is((await store.peopleSearch.find('a', ['ntpc']))?.id, 'a')
    t.is(await store.peopleSearch.find('a', []), undefined)
    // A school another county speaks of tells this county's staff nothing.
    const [seen] = await store.peopleSearch.describe(['c'], ['ntpc'])
    t.like(seen, { connectors: [], schools: [] })
  },
)

contract('pages follow each other: everybody once, however many keys fit', async (t, store) => {
  const people = Array.from({ length: 45 }, (_, i) => ({
    id: `p${String(i).padStart(2, '0')}`,
    // 王王… fits at its first and its second character.
    name: i % 3 === 0 ? '王王明' : `王${'甲乙丙丁戊'[i % 5]}`,
    at: i % 7,
    connector: i % 2 ? 'ntpc' : 'tyc',
  }))
  await buildAll(store, people)
  const ids = people.map(({ id }) => id)
  for (const order of ['match', 'updated', 'created'] as const) {
    for (const within of [undefined, ['ntpc']]) {
      const pages = await walk(store, { begins: '王', within }, order, 7)
      const wanted = ids.filter((_, i) => !within || i % 2)
      t.deepEqual(pages.flat().toSorted(), wanted, `${order} ${within}`)
      t.true(pages.length > 2)
    }
  }
})

contract('however few are looked at for one page, everybody is on some page', async (t, store) => {
  const people = Array.from({ length: 40 }, (_, i) => ({
    id: `p${String(i).padStart(2, '0')}`,
    name: `王${i}`,
    at: i,
    connector: i % 10 ? 'ntpc' : 'tyc',
    school: i % 4 ? '014569' : '014570',
    status: i % 8 ? ('active' as const) : ('closed' as const),
  }))
  await buildAll(store, people)
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  for (const rules of [
    { few: 3, looked: 5 },
    { few: 5, looked: 5 },
    { few: 20, looked: 7 },
  ]) {
    const narrow = { ...store, peopleSearch: openPeopleSearch(knex, rules) }
    for (const order of ['match', 'updated', 'created'] as const) {
      const ids = async (filter: PeopleFilter) =>
        (await walk(narrow, { begins: '王', ...filter }, order, 4)).flat().sort()
      const those = (fits: (i: number) => unknown) =>
        people.flatMap(({ id }, i) => (fits(i) ? [id] : []))
      const which = `${order} ${JSON.stringify(rules)}`
      const tyc = those((i) => i % 10 === 0)
      t.deepEqual(await ids({ within: ['tyc'] }), tyc, which)
      const school = those((i) => i % 4 === 0)
      t.deepEqual(await ids({ school: '014570' }), school, which)
      const closed = those((i) => i % 8 === 0)
      t.deepEqual(await ids({ status: 'closed' }), closed, which)
      const both = those((i) => i % 8 === 0 && i % 10)
      t.deepEqual(await ids({ status: 'closed', within: ['ntpc'] }), both, which)
      const three = those((i) => i === 3 || i >= 30)
      t.deepEqual(await ids({ begins: '王3' }), three, which)
    }
  }
})

contract(
  'the job finds whoever was written, whoever wrote it, and writes no key twice',
  async (t, store) => {
    let at = 10_000
    const job = openIndexing(store, () => at * 1000)
    const run = () => job.run(new AbortController().signal)
    const people = Array.from({ length: 120 }, (_, i) => ({ id: `p${i}`, name: `林${i}`, at: i }))
    for (const one of people) await build(store, one)
    await run()
    t.is((await found(store, '林')).length, 120, 'what there was before')
    const before = store.statements()
    await run()
    t.true(store.statements() - before < 20, 'what is as it was is hardly looked at')
    // As a release that knows nothing of keys writes it.
    at = 20_000
    await store.accounts.setProfile('p7', { name: { value: '黃七', by: 'self', at } }, at)
    await build(store, { id: 'new', name: '黃新', at })
    await run()
    t.deepEqual(await found(store, '黃'), ['new', 'p7'])
    t.false((await found(store, '林7')).includes('p7'))
    // A transaction that took a while comes with a time that was passed by.
    at = 20_100
    await build(store, { id: 'late', name: '黃晚', at: 20_040 })
    await run()
    t.true((await found(store, '黃')).includes('late'))
    // A name that moved to another account leaves no trace on it: the round finds it.
    await store.identifiers.take({ type: 'username', value: 'moved', accountId: 'p3' })
    for (let turn = 0; turn < 4; turn++) await run()
    t.deepEqual(await found(store, 'moved'), ['p3'])
  },
)

contract('who is erased is found by nothing any more, at once', async (t, store) => {
  await buildAll(store, [{ id: 'a', name: '王小明', account: 'wang' }])
  await store.accounts.close('a', 100)
  await store.transaction((tables) => tables.erasure.erase('a', 200, 300))
  t.deepEqual(await found(store, '王'), [])
  t.deepEqual(await found(store, 'wang'), [])
  await openIndexing(store, () => 10_000_000).run(new AbortController().signal)
  t.deepEqual(await found(store, '王'), [])
})

contract('a job that is told to stop stops, and goes on where it was', async (t, store) => {
  for (let i = 0; i < 120; i++) await build(store, { id: `p${i}`, name: '林', at: i })
  const stop = new AbortController()
  let batches = 0
  const counted: Store = {
    ...store,
    transaction: (work) => {
      if (++batches === 1) stop.abort()
      return store.transaction(work)
    },
  }
  const now = () => 10_000_000
  await openIndexing(counted, now).run(stop.signal)
  const some = (await found(store, '林')).length
  t.true(some > 0 && some < 120, `${some}`)
  await openIndexing(store, now).run(new AbortController().signal)
  t.is((await found(store, '林')).length, 120)
})
