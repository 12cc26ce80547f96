/** What somebody began goes on only as long as she may: an import by its batches, an export by its pages. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { exportPeople } from '#admin/imports/export.ts'
import { receiveImport } from '#admin/imports/receive.ts'
import { openImportWork } from '#admin/imports/work.ts'
import { perform } from '#admin/operation.ts'
import { getImport, resumeImport, startImport } from '#admin/operations/imports.ts'
import type { By, Grant } from '#admin/staff.ts'
import { openImporting } from '#jobs/import-people.ts'
import type { ClientRow } from '#store/store.ts'
import { type Engine, engines } from '../helpers/database.ts'
import { openStaff } from '../helpers/staff.ts'
import { buildWorld } from '../helpers/world.ts'
import { chunks, type ImportPorts, openImports, workOff } from './imports.ts'

const owner: Grant = { role: 'owner', reach: '' }

async function buildOwner({ store }: ImportPorts, actor: string = randomUUID()): Promise<By> {
  const account = { id: actor, kind: 'person', status: 'active' as const, profile: {} }
  if (!actor.startsWith('client:'))
    await store.accounts.create({ ...account, createdAt: 1, updatedAt: 1 })
  await store.staffRoles.grant({ holder: actor, ...owner, grantedAt: 1, grantedBy: 'operator:t' })
  return { actor, grants: [owner], fresh: true, where: {}, language: 'en' }
}

const rows = (count: number) =>
  `account,name\n${Array.from({ length: count }, (_, i) => `person${i},人${i}`).join('\n')}\n`

/** So many steps of ten rows. */
const steps = async (ports: ImportPorts, count: number) => {
  const stop = new AbortController()
  let left = count
  const observe = () => {
    if (--left === 0) stop.abort()
  }
  const manners = { rows: { first: 10, least: 10, most: 10 }, observe }
  await openImporting(openImportWork(ports), manners).run(stop.signal)
}

async function done<T>(outcome: Promise<{ kind: string; value?: T }>): Promise<T> {
  const { kind, value } = await outcome
  if (kind !== 'done' || value === undefined) throw new Error(kind)
  return value
}

/** Ways to lose what it takes. */
const losses: Record<string, (ports: ImportPorts, actor: string) => Promise<unknown>> = {
  'the role is taken': ({ store }, holder) => store.staffRoles.revoke({ holder, ...owner }),
  'it is narrowed': async ({ store }, holder) => {
    await store.staffRoles.revoke({ holder, ...owner })
    const row = { holder, role: 'support', reach: 'county:ntpc', grantedAt: 2 }
    await store.staffRoles.grant({ ...row, grantedBy: 'operator:t' })
  },
  'the account is suspended': ({ store }, id) => store.accounts.suspend(id, 2),
}

/** What they come to in SQL is the same for two of them. */
const lossesOn = (engine: Engine) => Object.entries(losses).slice(engine === 'postgres' ? -1 : 0)

for (const engine of engines) {
  test(`${engine}: an import stops when who started it may no more, and another takes it up`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    for (const [loss, lose] of lossesOn(engine)) {
      const starter = await buildOwner(ports)
      const other = await buildOwner(ports)
      const file = { file: 'people.csv', existing: 'update' }
      const { id } = await done(receiveImport(ports, starter, chunks(rows(40)), file))
      const look = () => done(perform(ports, other, getImport, { id }))

      // While it is checked.
      await steps(ports, 1)
      await lose(ports, starter.actor)
      await steps(ports, 1)
      t.like(await look(), { state: 'stopped', problem: 'not-allowed', checked: 10 }, loss)
      await workOff(ports)
      t.like(await look(), { state: 'stopped', checked: 10 }, loss)
      await done(perform(ports, other, resumeImport, { id }))
      await workOff(ports)
      t.like(await look(), { state: 'checked', checked: 40, createdBy: starter.actor }, loss)

      // While it is imported.
      await done(perform(ports, other, startImport, { id }))
      await steps(ports, 2)
      await lose(ports, other.actor)
      await steps(ports, 1)
      const stopped = await done(perform(ports, await buildOwner(ports), getImport, { id }))
      t.like(stopped, { state: 'stopped', problem: 'not-allowed', done: 20 }, loss)
      const [event] = await store.auditReads.list({ action: 'import.stop', limit: 1 })
      t.like(event, { actor: 'system', target: `import:${id}`, outcome: 'not-allowed' })
      t.deepEqual(event?.details, { starter: other.actor })
      const third = await buildOwner(ports)
      await done(perform(ports, third, resumeImport, { id }))
      await workOff(ports)
      const through = await done(perform(ports, third, getImport, { id }))
      const who = { startedBy: other.actor, resumedBy: third.actor }
      t.like(through, { state: 'done', done: 40, ...who }, loss)
      t.is(through.problem, undefined)
    }
  })

  test(`${engine}: a program that is switched off imports nothing more`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    await store.clients.create({ id: 'robot', metadata: {}, createdAt: 1, updatedAt: 1 })
    const row = await store.clients.find('robot')
    const robot = await buildOwner(ports, 'client:robot')
    const { id } = await done(receiveImport(ports, robot, chunks(rows(30)), {}))
    await steps(ports, 1)
    await store.clients.change({ ...row, disabledAt: 2 } as ClientRow)
    await steps(ports, 1)
    const look = () => perform(ports, robot, getImport, { id })
    t.like(await done(look()), { state: 'stopped', problem: 'not-allowed', checked: 10 })
  })

  test(`${engine}: an export is cut off when who takes it may no more`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    await store.transaction(async ({ accounts }) => {
      const account = { kind: 'person', status: 'active' as const, profile: {} }
      for (let i = 0; i < 450; i++)
        await accounts.create({ ...account, id: randomUUID(), createdAt: 1, updatedAt: 1 })
    })
    for (const [loss, lose] of lossesOn(engine)) {
      const taker = await buildOwner(ports)
      const text = await done(exportPeople(ports, taker, {}))
      let lines = 0
      const read = async () => {
        for await (const chunk of text) {
          lines += chunk.split('\r\n').length - 1
          if (lines > 1) await lose(ports, taker.actor)
        }
      }
      await t.throwsAsync(read(), { message: /may no longer/ }, loss)
      t.is(lines, 201, loss)
      const [event] = await store.auditReads.list({ action: 'people.export', limit: 1 })
      t.like(event, { actor: taker.actor, outcome: 'not-allowed', details: { count: 200 } }, loss)
    }
    // A token may not do more than it was given, whatever its holder may.
    const all = await buildOwner(ports)
    const narrow = { ...all, scopes: new Set(['admin:people.export']) }
    let whole = ''
    for await (const chunk of await done(exportPeople(ports, narrow, {}))) whole += chunk
    t.true(whole.split('\r\n').length > 450)
  })
}

test('the browser is left with half a download, and the page of an import says why it stands', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const staff = await openStaff(world)
  const boss = await openStaff(world)
  const { page } = store.peopleExport
  store.peopleExport.page = async (...args) => {
    const found = await page(...args)
    await store.staffRoles.revoke({ holder: staff.sub, ...owner })
    return { ...found, next: found.people.at(-1)?.account.id }
  }
  const form = await staff.open('/admin/imports/export')
  const field = (name: string) =>
    form.document.querySelector(`#export [name=${name}]`)?.getAttribute('value') ?? ''
  const taken = staff.browser.request(`${world.issuer}/admin/imports/export`, {
    method: 'POST',
    body: new URLSearchParams({ form_token: field('form_token'), staff: field('staff') }),
  })
  await t.throwsAsync(taken)
  const [cut] = await store.auditReads.list({ action: 'people.export', limit: 1 })
  t.like(cut, { actor: staff.sub, outcome: 'not-allowed' })
  store.peopleExport.page = page

  const row = { id: randomUUID(), file: '名單.csv', rules: { existing: 'skip', straight: false } }
  const stamp = Math.floor(Date.now() / 1000)
  const made = { createdBy: staff.sub, createdAt: stamp, expiresAt: stamp + 9000 }
  await store.peopleImports.begin({ ...row, ...made })
  await store.peopleImports.turn(row.id, ['receiving'], 'stopped', stamp, 'not-allowed')
  const shown = await boss.open(`/admin/imports/${row.id}`)
  t.regex(shown.document.querySelector('main')?.text ?? '', /已不能再匯入/)
  t.truthy(shown.document.querySelector('#import-resume'))
  const english = await boss.open(`/admin/imports/${row.id}?lang=en`)
  t.regex(english.document.querySelector('main')?.text ?? '', /may no longer import/)
})
