/** What is exported: safe in a spreadsheet, and imported again as it was. */
import test from 'ava'
import { parse as readCsv } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { exportPeople } from '#admin/imports/export.ts'
import { makeLocalAccount } from '../helpers/local-account.ts'
import {
  county,
  file,
  hash,
  type ImportPorts,
  imported,
  noted,
  openImports,
  operator,
  parse,
  progress,
  upload,
  workOff,
} from './imports.ts'

/** An export as its file. */
async function exported(ports: ImportPorts, filter = {}): Promise<string> {
  const outcome = await exportPeople(ports, operator, filter)
  if (outcome.kind !== 'done') throw new Error(outcome.kind)
  return (await Array.fromAsync(outcome.value)).join('')
}

test('people whose names begin as formulas do are exported, and imported again as they were', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const names = ['=王', '-王', '＝王', '@王', "'=王", "''-王", '王;=1', "王;'+1", '+886 王']
  for (const [i, name] of names.entries())
    await makeLocalAccount(ports, { account: `p${i}`, name, password: 'x' })
  const file = await exported(ports)
  // As a spreadsheet saves it again: without what it does not know, and nothing quoted that need not be.
  const rows: Record<string, string>[] = readCsv(file, { bom: true, columns: true })
  const again = stringify(rows, { header: true, columns: ['account', 'name'] })
  const id = await upload(ports, again, { existing: 'update' })
  await workOff(ports)
  t.like(await progress(ports, id), { total: names.length, same: names.length, updated: 0 })
  const passwords = 'account,name,password\nz,王,"\'=a;\'-long enough one"\n'
  t.deepEqual(await parse(passwords), [
    [2, { account: 'z', name: '王', password: "'=a;'-long enough one" }],
  ])
})

test('what is exported begins no formula, says no number, and comes in again as it was', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const people = [
    {
      account: 'eve',
      name: '=HYPERLINK("http://x","y")',
      phone: '0912345678',
      password_hash: hash,
    },
    { account: 'at', name: '@SUM(1+1)*cmd|calc', password_hash: hash },
    { account: 'plus', name: '+1', email: 'plus@x.tw', email_verified: 'yes' },
    { account: 'tab', name: '-2', status: 'suspended', password_hash: hash },
    { name: '老師', ...county, subject: 's-1' },
  ]
  await imported(ports, file(...people))
  const text = await exported(ports)
  t.regex(text, /^\ufeff"id","account"/)
  for (const line of text.trim().split('\r\n').slice(1))
    for (const cell of line.slice(1, -1).split('","')) t.notRegex(cell, /^[=+\-@\t\r]/)
  t.true(text.includes(`"'=HYPERLINK(""http://x"",""y"")"`))
  t.true(text.includes(`"'+886912345678"`))
  t.false(text.includes('s-1') || text.includes(hash))
  const [done, begun] = await ports.store.auditReads.list({ action: 'people.export', limit: 5 })
  t.like(begun, { outcome: 'begun', actor: 'operator:test' })
  t.deepEqual(done?.details, { count: 5 })

  const withoutIds = text
    .split('\r\n')
    .map((line) => line.split('","').slice(1, 8).join('","'))
    .flatMap((line, i) =>
      i === 0 ? [`"${line}"`] : line.startsWith('"') || !line ? [] : [`"${line}"`],
    )
    .join('\r\n')
  const again = await imported(ports, withoutIds, { existing: 'update' })
  t.like(again, { updated: 0, created: 0 })
  t.is(again.same, 4)

  const narrow = await exported(ports, { county: 'ntpc', school: '014569' })
  t.is(narrow.trim().split('\r\n').length, 2)
  t.is((await exportPeople(ports, operator, { county: 'nowhere' })).kind, 'rejected')
})

test('an export comes in again as it is: its ids say whose rows they are, and what was changed in it is changed', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const { store } = ports
  const people = [
    { account: 'ann', name: '安', email: 'ann@x.tw', phone: '0912345678', password_hash: hash },
    { account: 'boss', name: '老闆', password_hash: hash },
    { account: 'gone', name: '走了', password_hash: hash },
    { name: '老師', ...county, subject: 's-1', role: 'teacher', titles: '教師;組長' },
  ]
  await imported(ports, file(...people))
  const idOf = async (one: string) =>
    (await store.identifiers.find('username', one))?.accountId ?? ''
  const [boss, gone] = [await idOf('boss'), await idOf('gone')]
  const role = { role: 'support', reach: '', grantedAt: 1, grantedBy: 'x' } as const
  await store.staffRoles.grant({ holder: boss, ...role })
  await store.accounts.close(gone, 1)
  const text = await exported(ports)

  const none = { created: 0, updated: 0, refused: 0, warned: 0 }
  t.like(await imported(ports, text, { existing: 'update' }), { ...none, same: 4 })
  t.like(await imported(ports, text), { ...none, same: 4 })
  t.is((await store.auditReads.list({ action: 'account.update', limit: 9 })).length, 0)

  const teacher = (await store.identities.find('https://ntpc.sso.edu.tw', 's-1'))?.account.id ?? ''
  const changed = text.replace('"老師"', '"林老師"').replace('"安"', '"安安"')
  t.like(await imported(ports, changed, { existing: 'update' }), { ...none, updated: 2, same: 2 })
  t.is((await store.accounts.find(teacher))?.profile.name?.value, '林老師')

  // Whose row it is, nothing but the id says; what a file does not change it is told.
  const rows = [
    `${teacher},,,active`,
    `${await idOf('ann')},annie,,active`,
    'nobody-here,,誰,active',
    `${boss},boss,大老闆,active`,
    `${gone},gone,走了,active`,
    'not an id,,誰,active',
    `${teacher},,王老師,active`,
  ]
  const odd = ['id,account,name,status', ...rows].join('\n')
  const judged = await imported(ports, odd, { existing: 'update' })
  t.like(judged, { created: 0, updated: 0, same: 1, refused: 6 })
  t.deepEqual(await noted(ports, judged.id), [
    '3 account id-name',
    '4 id id-unknown',
    '5 account staff',
    '6 account closed',
    '7 id id-unknown',
    '8 id twin 2',
  ])
  const closing = `id,account,name,status\n${teacher},,林老師,closed`
  const closed = await imported(ports, closing, { existing: 'update' })
  t.deepEqual(await noted(ports, closed.id), ['2 status status'])
})

test('what an upstream said of somebody and no file may is not held against the export it stands in', async (t) => {
  const ports = await openImports(t, 'sqlite')
  const { store } = ports
  await imported(ports, file({ account: 'mei', name: '美', password_hash: hash }))
  const { accountId = '' } = (await store.identifiers.find('username', 'mei')) ?? {}
  const said = (value: string) => ({ value, by: 'ntpc', at: 1 })
  await store.accounts.setProfile(
    accountId,
    {
      name: said(`美<${'長'.repeat(200)}>`),
      phone_number: said('ext. 12'),
      email: said('mei at x.tw'),
    },
    1,
  )
  await store.accounts.setKind(accountId, 'of-former-days', 1)
  const text = await exported(ports)
  const before = await store.accounts.find(accountId)
  const none = { created: 0, updated: 0, refused: 0, warned: 0 }
  t.like(await imported(ports, text, { existing: 'update' }), { ...none, same: 1 })
  t.like(await imported(ports, text), { ...none, same: 1 })
  t.deepEqual(await store.accounts.find(accountId), before)

  // What somebody changed in it is judged like any other cell, and so is a row nobody is behind.
  const changed = await imported(ports, text.replace('ext. 12', 'ext. 13'), { existing: 'update' })
  t.deepEqual(await noted(ports, changed.id), ['2 phone phone'])
  const stranger = await imported(ports, text.replaceAll(accountId, 'nobody'))
  t.like(stranger, { refused: 1, same: 0 })
})
