/** Files of people: what becomes of their rows, and that no row is lost or done twice. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Cells } from '#admin/imports/columns.ts'
import { receiveImport } from '#admin/imports/receive.ts'
import { importReport } from '#admin/imports/report.ts'
import { openImportWork } from '#admin/imports/work.ts'
import { perform } from '#admin/operation.ts'
import {
  listImportNotes,
  listImports,
  removeImport,
  resumeImport,
  startImport,
  stopImport,
} from '#admin/operations/imports.ts'
import { loadConfig } from '#config/load.ts'
import { openDatabase } from '#store/database.ts'
import type { ImportState, Store } from '#store/store.ts'
import { engines } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import {
  chunks,
  county,
  doing,
  file,
  hash,
  type ImportPorts,
  imported,
  noted,
  openImports,
  operator,
  portsOn,
  progress,
  refusal,
  upload,
  workOff,
} from './imports.ts'

/** A table's rows, counted behind the store's back. */
async function count({ store }: ImportPorts, table: string, where: object = {}): Promise<number> {
  const knex = openDatabase(store.where)
  const [row] = await knex(table).where(where).count({ n: '*' })
  await knex.destroy()
  return Number(row?.n)
}

for (const engine of engines) {
  test(`${engine}: a dry run says of each row what is wrong, and changes nothing`, async (t) => {
    const ports = await openImports(t, engine)
    await imported(
      ports,
      file(
        { account: 'taken@x.tw', name: '已有', email_verified: 'yes' },
        { account: 'taken2@x.tw', name: '已有', email_verified: 'yes' },
      ),
    )
    const before = await count(ports, 'account')
    const rows: [Cells, ...string[]][] = [
      [{ account: 'good', name: '好', password_hash: hash }],
      [{ account: 'GOOD', name: '好' }, 'account twin 2'],
      [{ name: '無帳號' }, 'account empty'],
      [{ account: 'a b', name: '=cmd' }, 'account account-shape'],
      [{ account: 'no-name' }, 'name empty'],
      [{ account: 'x1', name: 'x'.repeat(101), password_hash: hash }, 'name long'],
      [{ account: 'x2', name: '堃\ue000', password_hash: hash }, 'name letters'],
      [{ account: 'x3', name: '王', email: 'x3@', password_hash: hash }, 'email email'],
      [
        {
          account: 'x4',
          name: '王',
          email: 'x@x.tw',
          email_verified: 'maybe',
          password_hash: hash,
        },
        'email_verified yes-or-no',
      ],
      [{ account: 'x5', name: '王', phone: '123', password_hash: hash }, 'phone phone'],
      [{ account: 'x6', name: '王', kind: 'owner', password_hash: hash }, 'kind kind'],
      [{ account: 'x7', name: '王', status: 'closed', password_hash: hash }, 'status status'],
      [{ account: 'x8', name: '王', password_hash: '{SSHA}abc' }, 'password_hash hash-weak'],
      [
        { account: 'x9', name: '王', password_hash: hash.replace('$04$', '$31$') },
        'password_hash hash-costly',
      ],
      [
        { account: 'x10', name: '王', password_hash: hash, password: 'a long enough password' },
        'password password-both',
      ],
      [{ account: 'x11', name: '王', password: 'short' }, 'password password-weak'],
      [{ name: '李', county: 'nowhere', subject: 's' }, 'county county'],
      [{ name: '李', ...county, subject: 's1' }],
      [{ name: '李', ...county, subject: 's1' }, 'subject twin 19'],
      [{ name: '李', county: 'ntpc', subject: 'null' }, 'subject subject'],
      [{ account: 'x12', name: '李', subject: 's2' }, 'subject subject-alone'],
      [{ name: '李', ...county, subject: 's3', school_code: '1' }, 'school_code school-code'],
      [
        { name: '李', ...county, subject: 's4', school_code: '380001' },
        'school_code school-elsewhere',
      ],
      [{ name: '李', ...county, subject: 's5', role: 'king' }, 'role role'],
      [
        { account: 'x13', name: '李', school_code: '014569', password_hash: hash },
        'school_code school-alone',
      ],
      [{ account: 'nobody', name: '無路可入' }, 'row no-way-in'],
      [
        {
          account: 'x14',
          name: '王',
          email: 'taken@x.tw',
          email_verified: '是',
          password_hash: hash,
        },
        'email email-taken',
      ],
      [{ account: 'Taken@x.tw ', name: '已有' }, 'account twin 28'],
      [{ account: 'taken2@x.tw', name: '已有' }],
    ]
    const id = await upload(ports, file(...rows.map(([cells]) => cells)), {})
    await workOff(ports)
    const found = await noted(ports, id)
    const wanted = rows.flatMap(([, ...said], i) => said.map((one) => `${i + 2} ${one}`))
    t.deepEqual(found, wanted)
    t.like(await progress(ports, id), {
      state: 'checked',
      total: rows.length,
      checked: rows.length,
      created: 4,
      same: 1,
      warned: 2,
      refused: rows.length - 5,
    })
    t.is(await count(ports, 'account'), before)
    t.is(await count(ports, 'people_import_note', { import_id: id }), wanted.length)
  })

  test(`${engine}: people come in with all the file says of them, and sign in by it`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    const whole = file(
      {
        account: 'Wang',
        name: '王小明',
        email: 'Wang@x.tw',
        email_verified: 'yes',
        phone: '912345678',
        password_hash: hash,
      },
      { account: 'li', name: '李四', status: 'suspended', password: 'eleven walls of a city' },
      { name: '陳老師', ...county, subject: 'c-1', school_code: '14569', titles: '教師;組長' },
    )
    const done = await imported(ports, whole)
    t.like(done, { state: 'done', created: 3, refused: 0, done: 3 })
    const wang = await store.identifiers.find('username', 'wang')
    t.is((await store.identifiers.find('email', 'wang@x.tw'))?.accountId, wang?.accountId)
    const account = await store.accounts.find(wang?.accountId ?? '')
    t.like(account?.profile, {
      name: { value: '王小明', by: 'staff' },
      email: { value: 'wang@x.tw', verified: true },
      phone_number: { value: '+886912345678', verified: false },
    })
    t.is((await store.credentials.findPassword(wang?.accountId ?? ''))?.secret, hash)
    const li = (await store.identifiers.find('username', 'li'))?.accountId ?? ''
    t.is((await store.accounts.find(li))?.status, 'suspended')
    const secret = (await store.credentials.findPassword(li))?.secret
    t.true(await ports.passwords.verify(secret, 'eleven walls of a city'))
    const linked = await store.identities.find('https://ntpc.sso.edu.tw', 'c-1')
    const [school] = await store.affiliations.ofAccount(linked?.account.id ?? '')
    t.like(school, { schoolCode: '014569', role: 'teacher', titles: ['教師', '組長'] })
    // Nothing of it stays but what is theirs, and of each who brought her in.
    t.is(await count(ports, 'people_import_part'), 0)
    const events = await store.auditReads.list({ action: 'account.create', limit: 10 })
    t.is(events.length, 3)
    t.true(
      events.every(({ actor, details }) => actor === 'operator:test' && details.import === done.id),
    )
    t.notRegex(
      JSON.stringify(await store.auditReads.list({ limit: 50 })),
      /王小明|x\.tw|people\.csv/,
    )
  })

  test(`${engine}: who is here already is left, changed or refused, staff and the closed never touched`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    const names = ['ann', 'boss', 'gone']
    await imported(
      ports,
      file(...names.map((account) => ({ account, name: account, password_hash: hash }))),
    )
    const [ann = '', boss = '', gone = ''] = await Promise.all(
      names.map(async (one) => (await store.identifiers.find('username', one))?.accountId ?? ''),
    )
    await store.staffRoles.grant({
      holder: boss,
      role: 'support',
      reach: '',
      grantedAt: 1,
      grantedBy: 'x',
    })
    await store.accounts.close(gone, 1)
    const changed = file(
      {
        account: 'ann',
        name: '安',
        status: 'suspended',
        password_hash: hash.replace('u', 'v'),
        ...county,
        subject: 'ann-1',
      },
      { account: 'boss', name: '老闆', status: 'suspended' },
      { account: 'gone', name: '走了' },
      { account: 'new', name: '新', password_hash: hash },
      { name: '安', ...county, subject: 'ann-1' },
    )
    t.like(await imported(ports, changed), { created: 1, same: 3, refused: 1 })
    t.is((await store.accounts.find(ann))?.profile.name?.value, 'ann')
    const refused = await imported(ports, changed, { existing: 'refuse' })
    t.like(refused, { created: 0, same: 0, refused: 5 })
    const updated = await imported(ports, changed, { existing: 'update' })
    t.like(updated, { updated: 1, same: 1, refused: 3 })
    t.deepEqual(await noted(ports, updated.id), [
      '3 account staff',
      '4 account closed',
      '6 subject twin 2',
    ])
    const after = await store.accounts.find(ann)
    t.is(after?.profile.name?.value, '安')
    t.is(after?.status, 'suspended')
    t.is((await store.identities.find('https://ntpc.sso.edu.tw', 'ann-1'))?.account.id, ann)
    t.is((await store.credentials.findPassword(ann))?.secret, hash)
    t.is((await store.accounts.find(boss))?.profile.name?.value, 'boss')
    t.like(await imported(ports, changed, { existing: 'update' }), { updated: 0, same: 2 })
    t.is((await store.auditReads.list({ action: 'account.update', limit: 9 })).length, 1)
  })

  test(`${engine}: two who work and one that fails in the middle lose nothing and do nothing twice`, async (t) => {
    const ports = await openImports(t, engine)
    const id = await upload(ports, crowd(700))
    await workOff(ports)
    await doing(ports, startImport, { id })
    let left = 3
    const failing = {
      ...ports,
      store: {
        ...ports.store,
        transaction: <T>(work: (tables: never) => Promise<T>) =>
          ports.store.transaction(async (tables) => {
            const result = await work(tables as never)
            // At the very end: all of it is undone.
            if (--left === 0) throw new Error('the power went')
            return result
          }),
      },
    } as ImportPorts
    await t.throwsAsync(workOff(failing), { message: 'the power went' })
    const some = await progress(ports, id)
    t.true(some.done > 0 && some.done < 700 && some.state === 'importing')
    t.is(await count(ports, 'account'), some.done)
    await Promise.all([workOff(ports), workOff(ports)])
    await expectCrowd(t, ports, id, 700)
  })

  test(`${engine}: a process that is killed is taken over by another, row by row`, async (t) => {
    const ports = await openImports(t, engine)
    const id = await upload(ports, crowd(1_500), { straight: true })
    await workOff(ports, {
      rows: { first: 500, least: 500, most: 500 },
      observe: stopAfter(3),
    }).catch(() => {})
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'import-process.ts'), JSON.stringify(ports.store.where)],
      { stdio: 'ignore' },
    )
    const ended = new Promise((resolve) => child.once('exit', resolve))
    t.teardown(() => child.kill('SIGKILL'))
    const made = await eventually(
      () => count(ports, 'account'),
      (n) => n > 50,
      60_000,
    )
    child.kill('SIGKILL')
    await ended
    const after = await progress(ports, id)
    t.log(`killed at ${made}, with ${after.done} of 1500 done`)
    t.true(after.done >= 50 && after.done < 1_500)
    await workOff(ports)
    await expectCrowd(t, ports, id, 1_500)
    const trail = await ports.store.auditReads.list({ limit: 2_000 })
    t.deepEqual(
      trail.flatMap(({ target, action }) => (target === `import:${id}` ? [action] : [])).sort(),
      ['import.done', 'import.start', 'import.upload'],
      'as if somebody had said so when it was checked',
    )
  })
}

for (const engine of engines) {
  test(`${engine}: an import that fails at every try is given up, the next one goes on, and staff can try again`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    const bulkPeople: Store['bulkPeople'] = {
      ...store.bulkPeople,
      async holdersOf(names) {
        if (names.some(({ value }) => value === 'u0')) throw new Error('a row we did not foresee')
        return store.bulkPeople.holdersOf(names)
      },
    }
    const failing = { ...ports, store: { ...store, bulkPeople } } as ImportPorts
    const bad = await upload(ports, crowd(2))
    const good = await upload(ports, file({ account: 'ann', name: '安', password_hash: hash }))
    for (let tries = 1; tries < 5; tries++) {
      await t.throwsAsync(workOff(failing), { message: 'a row we did not foresee' })
      t.is((await progress(ports, bad)).state, 'checking')
    }
    t.is((await progress(ports, good)).state, 'checked')
    await workOff(failing)
    t.like(await progress(ports, bad), { state: 'stopped', problem: 'broken', checked: 0 })
    const [stop] = await store.auditReads.list({ action: 'import.stop', limit: 1 })
    t.like(stop, { actor: 'system', target: `import:${bad}`, outcome: 'broken' })
    await doing(ports, resumeImport, { id: bad })
    t.is((await progress(ports, bad)).problem, undefined)
    await workOff(ports)
    t.like(await progress(ports, bad), { state: 'checked', created: 2 })
  })
}

const crowd = (size: number) =>
  file(
    ...Array.from({ length: size }, (_, i) => ({
      account: `u${i}`,
      name: '王小明',
      password_hash: hash,
    })),
  )

/** Throws at that step, between two batches. */
function stopAfter(steps: number) {
  let left = steps
  return () => {
    if (--left < 0) throw new Error('enough')
  }
}

async function expectCrowd(t: ExecutionContext, ports: ImportPorts, id: string, size: number) {
  t.like(await progress(ports, id), { state: 'done', done: size, created: size, refused: 0 })
  for (const table of ['account', 'identifier', 'credential'])
    t.is(await count(ports, table), size, table)
  t.is(await count(ports, 'audit_event', { action: 'account.create' }), size)
  t.is(await count(ports, 'people_import_part'), 0)
}

for (const engine of engines) {
  test(`${engine}: one login spelt in two ways is the first row’s, and nothing stands still`, async (t) => {
    const ports = await openImports(t, engine)
    const { config } = loadTainan(ports)
    const both = { ...ports, config } as ImportPorts
    const subject = (host: string) => `${host}://openid.tn.edu.tw/op/user.aspx/wang`
    const school = { county: 'tn', school_code: '114601' }
    const rows = file(
      { name: '王一', ...school, subject: subject('https') },
      { name: '王二', ...school, subject: subject('http') },
      { account: 'li', name: '李', password_hash: hash },
    )
    const done = await imported(both, rows)
    t.like(done, { state: 'done', created: 2, refused: 1 })
    t.deepEqual(await noted(both, done.id), ['3 subject identity-taken'])
    const linked = await ports.store.identities.find(
      'https://openid.tn.edu.tw/op/',
      subject('https'),
    )
    t.is(linked?.account.profile.name?.value, '王一')
  })
}

const root = join(import.meta.dirname, '..', '..')
const tainan = { SANDBOX: 'off', TN_OPENID2: 'on' }

/** With Tainan on: OpenID 2.0, whose identifiers are addresses. */
const loadTainan = ({ config }: ImportPorts) => ({
  config: {
    ...config,
    connectors: [
      ...config.connectors,
      ...loadConfig(tainan, root).connectors.filter(({ id }) => id === 'tn'),
    ],
  },
})

test('who is let in again by a file has nothing left of what was begun while she was kept out', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const { store } = ports
  await imported(
    ports,
    file({ account: 'ann', name: '安', password_hash: hash, status: 'suspended' }),
  )
  const accountId = (await store.identifiers.find('username', 'ann'))?.accountId ?? ''
  const link = { purpose: 'reset', memo: '', createdAt: 1, expiresAt: 9_999_999_999 } as const
  await store.mailLinks.make({ id: 'begun', subject: accountId, ...link })
  const rows = file({ account: 'ann', name: '安', status: 'active' })
  t.like(await imported(ports, rows, { existing: 'update' }), { updated: 1 })
  t.is((await store.accounts.find(accountId))?.status, 'active')
  const left = await store.mailLinks.find('begun', 'reset')
  t.true(left === undefined || left.usedAt !== undefined || left.expiresAt < 9_999_999_999)
})

test('a login is not linked to whoever registered a teacher’s address first', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const { store } = ports
  const squatter = { id: 'squatter', kind: 'person', status: 'active', profile: {} } as const
  await store.accounts.create({ ...squatter, createdAt: 1, updatedAt: 1 })
  await store.identifiers.take({ type: 'email', value: 'chen@x.tw', accountId: 'squatter' })
  await imported(ports, file({ account: 'li@x.tw', name: '李', password_hash: hash }))
  const rows = file(
    { account: 'chen@x.tw', name: '陳', ...county, subject: 'chen' },
    { account: 'li@x.tw', name: '李', ...county, subject: 'li' },
  )
  const done = await imported(ports, rows, { existing: 'update' })
  t.like(done, { updated: 1, refused: 1 })
  t.deepEqual(await noted(ports, done.id), ['2 account unproven'])
  t.is((await store.identities.ofAccount('squatter')).length, 0)
})

test('what was to go on by itself waits where who said so may not say it any more', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const { store } = ports
  const boss = { ...operator, actor: 'boss' }
  await store.accounts.create({
    id: 'boss',
    kind: 'person',
    status: 'active',
    profile: {},
    createdAt: 1,
    updatedAt: 1,
  })
  const role = { holder: 'boss', role: 'owner', reach: '' }
  for (const [rows, state] of [
    [file({ account: 'ann', name: '安', password_hash: hash }), 'done'],
    [file({ account: 'eve', name: '伊', password_hash: hash }), 'checked'],
    [file({ account: 'joy', name: '喬', password_hash: hash }), 'stopped'],
  ]) {
    await store.staffRoles.grant({ ...role, grantedAt: 1, grantedBy: 'operator:test' })
    const sent = await receiveImport(ports, boss, chunks(rows ?? ''), { straight: true })
    // Its one row is looked at before she loses her role, or after.
    if (state === 'checked')
      t.is(await openImportWork(ports).step(10, new AbortController().signal), 1)
    if (state !== 'done') await store.staffRoles.revoke(role)
    await workOff(ports)
    const { id } = sent.kind === 'done' ? sent.value : { id: '' }
    t.is((await progress(ports, id)).state, state as 'done')
  }
})

test('an import that was begun in between is not removed', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const id = await upload(ports, crowd(2))
  await workOff(ports)
  await doing(ports, startImport, { id })
  t.false(await ports.store.peopleImports.remove(id))
  t.is((await progress(ports, id)).state, 'importing')
})

test('an import is stopped, goes on, and is removed only when it stands', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const refusedFor = async (one: typeof stopImport, id: string) => {
    const outcome = await perform(ports, operator, one, { id })
    return outcome.kind === 'refused' ? outcome.why : outcome.kind
  }
  const id = await upload(ports, crowd(300))
  await doing(ports, stopImport, { id })
  await workOff(ports)
  t.like(await progress(ports, id), { state: 'stopped', checked: 0 })
  await doing(ports, resumeImport, { id })
  await workOff(ports)
  t.is(await refusedFor(stopImport, id), 'import-state')
  await doing(ports, startImport, { id })
  t.is(await refusedFor(startImport, id), 'import-state')
  t.is(await refusedFor(removeImport as never, id), 'import-running')
  const enough = { rows: { first: 100, least: 100, most: 100 }, observe: stopAfter(1) }
  await t.throwsAsync(workOff(ports, enough))
  await doing(ports, stopImport, { id })
  await workOff(ports)
  const { state, done } = await progress(ports, id)
  t.deepEqual({ state, done }, { state: 'stopped', done: 200 })
  await doing(ports, resumeImport, { id })
  await workOff(ports)
  await expectCrowd(t, ports, id, 300)
  await doing(ports, removeImport, { id })
  t.is(await count(ports, 'people_import_outcome'), 0)
  t.is(await count(ports, 'account'), 300)
  t.is(await refusedFor(stopImport, id), 'unknown')
})

test('a list goes on where a cursor of its own says, and nowhere else', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const ids = [await upload(ports, crowd(2)), await upload(ports, 'account,name\nx,\ny,\n')]
  await workOff(ports)
  const [, id = ''] = ids
  const first = await doing(ports, listImports, { limit: 1 })
  const second = await doing(ports, listImports, { limit: 1, cursor: first.next })
  t.deepEqual([...first.items, ...second.items].map((one) => one.id).sort(), [...ids].sort())
  const notes = await doing(ports, listImportNotes, { id, limit: 1 })
  const more = await doing(ports, listImportNotes, { id, limit: 1, cursor: notes.next })
  t.deepEqual(
    [...notes.items, ...more.items].map(({ row }) => row),
    [2, 3],
  )
  const place = (...of: unknown[]) => Buffer.from(JSON.stringify(of)).toString('base64url')
  const forged = ['', 'nonsense', 'e30', place('x'), place(2 ** 40, 1), place(-1.5)]
  for (const cursor of forged) {
    const refused = { kind: 'rejected', problems: [{ field: 'cursor', code: 'cursor' }] }
    t.like(await perform(ports, operator, listImports, { cursor }), refused, cursor)
    t.like(await perform(ports, operator, listImportNotes, { id, cursor }), refused, cursor)
  }
})

test('imports are listed by what became of them, and a page goes on among these', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const ids = [await upload(ports, crowd(1)), await upload(ports, crowd(2))]
  await workOff(ports)
  const [started = ''] = ids
  await upload(ports, crowd(3))
  await doing(ports, startImport, { id: started })
  const of = (state: ImportState) => doing(ports, listImports, { state, limit: 1 })
  t.deepEqual(
    (await of('importing')).items.map(({ id }) => id),
    [started],
  )
  t.deepEqual((await of('failed')).items, [])
  const first = await of('checked')
  t.is(first.items[0]?.id, ids[1])
  t.is(first.next, undefined)
  t.is((await perform(ports, operator, listImports, { state: 'nothing' })).kind, 'rejected')
})

test('an upload that breaks off leaves nothing; one nobody goes on with is removed after a week', async (t) => {
  let at = Date.now()
  const ports = await openImports(t, 'sqlite', () => at)
  async function* broken() {
    yield Buffer.from(crowd(2_000))
    throw new Error('she closed the lid')
  }
  const { receiveImport } = await import('#admin/imports/receive.ts')
  await t.throwsAsync(receiveImport(ports, operator, broken(), {}), { message: /lid/ })
  t.is(await count(ports, 'people_import'), 0)
  t.is(await count(ports, 'people_import_part'), 0)

  const id = await upload(ports, crowd(10))
  await workOff(ports)
  at += 8 * 24 * 60 * 60 * 1000
  await workOff(ports)
  t.like(await progress(ports, id), { state: 'failed', problem: 'expired' })
  t.is(await count(ports, 'people_import_part'), 0)
  const otherKey = { ...portsOn(ports.store), keys: { data: Buffer.alloc(32, 6) } } as ImportPorts
  const sealed = await upload(ports, crowd(10))
  await workOff(otherKey)
  t.like(await progress(ports, sealed), { state: 'failed', problem: 'unreadable' })
})

test('an import that is removed while its file is on the way says so, and leaves nothing', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const removeIt = async () => {
    const [one] = await ports.store.peopleImports.list(undefined, 1)
    t.is(one?.state, 'receiving')
    await doing(ports, removeImport, { id: one?.id ?? '' })
  }
  async function* inTheMiddle() {
    const all = crowd(4_000)
    yield Buffer.from(all.slice(0, all.length / 2))
    await removeIt()
    yield Buffer.from(all.slice(all.length / 2))
  }
  async function* atTheEnd() {
    yield Buffer.from(crowd(2))
    await removeIt()
  }
  for (const bytes of [inTheMiddle(), atTheEnd()]) {
    const outcome = await receiveImport(ports, operator, bytes, {})
    t.like(outcome, { kind: 'rejected', problems: [{ field: 'file', code: 'file-removed' }] })
    t.is(await count(ports, 'people_import_part'), 0)
    t.is(await count(ports, 'people_import'), 0)
  }
})

test('passwords in clear are kept sealed only, and not many of them', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const secret = 'eleven walls of a city'
  const people = (size: number) =>
    file(
      ...Array.from({ length: size }, (_, i) => ({
        account: `p${i}`,
        name: '王',
        password: secret,
      })),
    )
  t.is(await refusal(ports, people(1_001)), 'file-passwords')
  t.is(await count(ports, 'people_import'), 0)
  const id = await upload(ports, people(12))
  const part = await ports.store.importParts.after(id, 0)
  t.notRegex(String(part?.sealed), /walls/)
  await workOff(ports)
  const { importKeyOf, openPart } = await import('#admin/imports/part.ts')
  const kept = await ports.store.importParts.after(id, 0)
  const rows = kept ? openPart(importKeyOf(ports.keys.data), kept) : []
  t.is(rows.length, 12)
  for (const row of rows) {
    t.is(row.cells.password, undefined)
    t.regex(row.secret ?? '', /^\$argon2id\$/)
  }
})

test('the report has a line for each row, and nothing of what stood in it', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const rows = [
    { account: 'a', name: '甲', password_hash: hash },
    { account: 'a', name: '乙' },
    { name: '丙' },
  ]
  const id = await upload(ports, file(...rows))
  await workOff(ports)
  let text = ''
  const words = {
    heading: ['row', 'outcome', 'why'] as [string, string, string],
    outcome: String,
    problem: ({ field, code, row = 0 }: { field: string; code: string; row?: number }) =>
      `${field} ${code} ${row}`,
  }
  for await (const some of importReport(ports.store, id, words)) text += some
  t.is(
    text,
    '\ufeff"row","outcome","why"\r\n"2","created",""\r\n"3","refused","account twin 2"\r\n"4","refused","account empty 0"\r\n',
  )
})
