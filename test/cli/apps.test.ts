/** Apps at the command line: changed, switched off, undone, written to a file and applied from one. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { runCli } from '../helpers/cli.ts'
import { preparedFolder } from '../helpers/world.ts'

const openCli =
  (folder: string) =>
  (...args: string[]) =>
    runCli(args, { env: { DATA_DIR: folder } })

test('an operator looks after an app, and a file of all apps makes them again', async (t) => {
  const folder = await preparedFolder(t)
  const cli = openCli(folder)
  const web = ['--type', 'web', '--redirect-uri', 'https://a.example/cb', '--json']
  const { client_id: id } = JSON.parse(cli('client', 'add', '--name', '課程', ...web).out)
  const edited = cli('client', 'edit', id, '--name', '課程平台', '--contact', 'ops@a.example')
  t.is(edited.out, `changed ${id}, now version 2\n`, edited.err)

  const secret = JSON.parse(cli('client', 'secret', 'add', id, '--json').out)
  t.is(secret.secret.length, 43)
  t.truthy(secret.formerExpiresAt)

  const versions = cli('client', 'versions', id).out
  t.regex(versions, /- client_name: 課程\n {4}\+ client_name: 課程平台/)
  t.is(cli('client', 'undo', id, '1').exit, 0)
  t.regex(cli('client', 'show', id).out, /client_name: 課程\n/)

  const yaml = cli('client', 'export').out
  t.false(yaml.includes(secret.secret))
  const file = join(folder, 'clients.yaml')
  const purposes = '    purposes: { email: { en: "\\x9b2J" } }'
  writeFileSync(file, yaml.replace('name: 課程', `name: 選課\n${purposes}`))
  const dry = cli('client', 'apply', file, '--dry-run')
  t.regex(dry.out, /^~ \S+ {2}選課\n {4}- name: 課程\n {4}\+ name: 選課\n/)
  t.regex(dry.out, /\n1 of 1 would change\n$/)
  t.regex(cli('client', 'apply', file).out, /1 of 1 changed\n$/)
  const { out } = cli('client', 'show', id, '--json')
  t.like(JSON.parse(out), { purposes: { email: { en: '\ufffd2J' } } }, 'nothing steers a terminal')
  writeFileSync(file, yaml.replace('kind: web', 'kind: boat'))
  const wrong = cli('client', 'apply', file)
  t.is(wrong.exit, 65)
  t.true(wrong.err.includes(`${file}:3  clients.0.kind: must be one of`), wrong.err)
})

test('a number that is none is said with the option it was given for, and nothing is done', async (t) => {
  const cli = openCli(await preparedFolder(t))
  const token = ['registration', 'token', 'create', '--label', 'x', '--host', 'a.example']
  for (const [option, args] of [
    ['--uses two', [...token, '--uses', 'two']],
    ['--keep-days -1', ['client', 'secret', 'add', 'x', '--keep-days=-1']],
  ] as const) {
    const { exit, err } = cli(...args)
    t.is(exit, 64)
    t.regex(err, new RegExp(`${option} is no whole number from [01]`))
  }
})

test('an operator makes no token for programs while they may not register themselves', async (t) => {
  const cli = openCli(await preparedFolder(t))
  const made = cli('registration', 'token', 'create', '--label', 'x', '--host', 'a.example')
  t.is(made.exit, 65)
  t.regex(made.err, /switched off/)
})
