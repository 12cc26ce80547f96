import test from 'ava'
import { runCli } from '../helpers/cli.ts'
import { buildWorld } from '../helpers/world.ts'

test('an operator finds somebody, looks at her, and keeps her out', async (t) => {
  const { dataDir, house } = await buildWorld(t)
  const env = { DATA_DIR: dataDir }
  const cli = (...args: string[]) => runCli(['user', ...args], { env })
  const made = JSON.parse(cli('add', '--account', 'lin', '--name', '林美玲', '--json').out)
  const { sub } = made
  // What a name holds does not reach the terminal.
  const name = { value: '\u001b[31m林\u202e\nroot', by: 'self', at: 1 }
  await house.store.accounts.setProfile(sub, { name }, 1)
  const list = cli('find', 'lin')
  t.true(list.out.startsWith(`${sub}  active`), list.out)
  const shown = cli('show', sub)
  t.regex(shown.out, /^sub: .*\nstatus: active\n/)
  const told = list.out + shown.out
  t.false(told.includes('\u001b') || told.includes('\u202e') || told.includes('\nroot'))

  const nowhere = cli('send-reset', sub)
  t.is(nowhere.exit, 65)
  t.regex(nowhere.err, /nowhere to send it/)
  t.regex(cli('suspend', sub, '--reason', 'stolen').out, /^suspended/)
  t.is((await house.store.accounts.find(sub))?.status, 'suspended')
  const [event] = await house.store.auditReads.list({ limit: 1, target: sub })
  t.like(event, { action: 'account.suspend', details: { reason: 'stolen' } })
  t.true(event?.actor.startsWith('operator:'))
})

test('an account made at the command line is held to the same rules as one made at the console', async (t) => {
  const { dataDir, house } = await buildWorld(t)
  const env = { DATA_DIR: dataDir }
  const add = (account: string, name: string, password?: string) =>
    runCli(
      ['user', 'add', '--account', account, '--name', name, '--json'].concat(
        password === undefined ? [] : ['--password-stdin'],
      ),
      { env, input: password === undefined ? '' : `${password}\n` },
    )
  const refused: [Parameters<typeof add>, RegExp][] = [
    [['li\u200bn', '林'], /account: must be a user name or an e-mail address without blanks/],
    [
      ['lin', '<林>', 'password123'],
      /name: has characters that cannot be seen, or < >\n.*password: is one of those that are tried first/,
    ],
    [['lin', '林', ''], /password: must not be empty/],
  ]
  for (const [typed, why] of refused) {
    const ran = add(...typed)
    t.is(ran.exit, 65, JSON.stringify(typed))
    t.regex(ran.err, why)
    t.is(ran.out, '')
  }
  t.is(await house.store.identifiers.find('username', 'lin'), undefined)

  const { sub, account, password } = JSON.parse(add('lin', '林  美玲').out)
  t.is(account, 'lin')
  t.is(password.length, 20)
  const made = await house.store.accounts.find(sub)
  t.is(made?.profile.name?.value, '林 美玲')
  const [event] = await house.store.auditReads.list({ limit: 1, target: sub })
  t.is(event?.action, 'account.create')
  t.true(event?.actor.startsWith('operator:'))
})
