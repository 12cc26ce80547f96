import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { queueMail } from '#accounts/mail.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { openMailServer } from '../helpers/mail-server.ts'
import { buildWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')

const openCli =
  (env: NodeJS.ProcessEnv) =>
  async (...args: string[]) => {
    const child = spawn(process.execPath, ['bin/citygate.js', ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, SANDBOX: 'off', ...env },
    })
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { exit: await exit, out, err }
  }

test('staff see what waits and what was given up, try it again or drop it', async (t) => {
  const world = await buildWorld(t)
  const { store, now, config } = world.house
  const database = config.database
  const cli = openCli({
    DATA_DIR: world.dataDir,
    ...(database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}),
  })
  t.is((await cli('outbox', 'list')).out, '')
  const at = Math.floor(now() / 1000)
  const mail = { to: 'wang@mail.edu.tw', subject: '重設密碼', text: 'https://id.example/reset/1' }
  const id = await store.transaction((tables) => queueMail(tables, mail, { at }))
  await eventually(
    () => store.outbox.list(),
    ([row]) => row?.lastError !== undefined,
  )
  // Out of its reach: a slow machine would see it tried once more meanwhile.
  const taken = await store.outbox.take(id, { at, until: at + 3600 })
  const list = await cli('outbox', 'list')
  t.regex(
    list.out,
    new RegExp(
      `^${id}  mail +mail\\.edu\\.tw  2 tries  next try [\\d-]+T[\\d:]+Z  SMTP_URL is not set\\n$`,
    ),
  )
  t.notRegex(list.out, /reset|wang/)
  t.is((await cli('outbox', 'list', '--dead', '--json')).out, '[]\n')
  t.like(JSON.parse((await cli('outbox', 'list', '--json')).out)[0], {
    id,
    kind: 'mail',
    state: 'waiting',
    last_error: 'SMTP_URL is not set',
  })

  if (taken) await store.outbox.bury(taken, 'the mail server answered 550')
  t.regex((await cli('outbox', 'list', '--dead')).out, /2 tries {2}given up {2}the mail server/)
  t.regex((await cli('outbox', 'retry', id)).out, /^1 due now/)
  t.regex((await cli('outbox', 'retry', '--all')).out, /^\d due now/)
  t.is((await cli('outbox', 'retry')).exit, 64)
  t.is((await cli('outbox', 'retry', id, '--all')).exit, 64)
  t.is((await cli('outbox', 'retry', 'nobody')).exit, 66)
  t.is((await cli('outbox', 'drop', id)).exit, 0)
  const gone = await cli('outbox', 'drop', id)
  t.is(gone.exit, 66)
  t.is(gone.err, `citygate: there is no message ${id}\n`)
})

test('a test mail says in words what the mail server answered', async (t) => {
  const server = await openMailServer(t)
  const full = await openMailServer(t, {
    onRcptTo: (_address, _session, done) =>
      done(Object.assign(new Error('mailbox is full'), { responseCode: 452 })),
  })
  const DATA_DIR = temporaryFolder(t)
  const MAIL_FROM = '教育雲 <id@example.gov.tw>'
  const unset = await openCli({ DATA_DIR })('mail', 'test', 'wang@mail.edu.tw')
  t.is(unset.exit, 78)
  t.regex(unset.err, /there is no mail server: set SMTP_URL .* and MAIL_FROM/)

  const cli = openCli({ DATA_DIR, MAIL_FROM, SMTP_URL: `smtp://127.0.0.1:${server.port}` })
  const sent = await cli('mail', 'test', 'wang@mail.edu.tw')
  t.is(sent.exit, 0, sent.err)
  t.regex(sent.out, /^the mail server took it: 250 .*taken as number 7\n$/)
  t.deepEqual(server.received[0]?.to, ['wang@mail.edu.tw'])
  t.is((await cli('mail', 'test', 'wang')).exit, 65)

  const other = openCli({ DATA_DIR, MAIL_FROM, SMTP_URL: `smtp://127.0.0.1:${full.port}` })
  const refused = await other('mail', 'test', 'wang@mail.edu.tw')
  t.is(refused.exit, 69)
  t.regex(
    refused.err,
    /not sent, and not tried again: the mail server answered 452: 452 mailbox is full/,
  )
  t.is((await cli('outbox', 'list')).out, '')
})

test('a mail server half told of is a problem of the configuration, and its password is not repeated', async (t) => {
  const check = async (env: NodeJS.ProcessEnv) => {
    const checked = await openCli(env)('config', 'check')
    t.is(checked.exit, 78)
    t.notRegex(checked.err, /hunter2/)
    return checked.err
  }
  const SMTP_URL = 'smtps://citygate:hunter2@mail.example.gov.tw'
  t.regex(await check({ SMTP_URL }), /MAIL_FROM.*must be set beside SMTP_URL/)
  t.regex(await check({ MAIL_FROM: 'id@example.gov.tw' }), /SMTP_URL.*must be set beside MAIL_FROM/)
  t.regex(await check({ SMTP_URL, MAIL_FROM: '教育雲' }), /MAIL_FROM.*must be id@example\.gov\.tw/)
  const odd = { SMTP_URL: 'https://citygate:hunter2@mail.example', MAIL_FROM: 'id@example.gov.tw' }
  t.regex(await check(odd), /SMTP_URL.*must be smtps:/)
})
