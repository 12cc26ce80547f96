import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadConfig } from '#config/load.ts'
import { ConfigError } from '#errors.ts'

const root = join(import.meta.dirname, '..', '..')
const secret = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`
const url = 'https://mail.intra.example/hooks/citygate'

const problemsOf = (t: ExecutionContext, env: NodeJS.ProcessEnv): string[] => {
  const error = t.throws(() => loadConfig(env, root), { instanceOf: ConfigError })
  return error?.problems.map(({ file, key, message }) => `${file} ${key} ${message}`) ?? []
}

test('a receiver whose variables are unset is known by the one that lacks', (t) => {
  t.deepEqual(loadConfig({}, root).provisioning, { mailbox: { urlVariable: 'MAILBOX_URL' } })
})

test('a receiver has an https address, or one of this very machine, and a secret of 24 to 64 bytes', (t) => {
  for (const right of [url, 'http://localhost:8080/x', 'http://127.0.0.1/', 'http://[::1]:1/']) {
    const MAILBOX_SECRET = secret(32)
    const { mailbox } = loadConfig({ MAILBOX_URL: right, MAILBOX_SECRET }, root).provisioning
    t.is(mailbox?.endpoint?.url, right)
    t.is(`whsec_${mailbox?.endpoint?.secret.toString('base64')}`, MAILBOX_SECRET)
  }
  for (const length of [24, 64]) {
    t.notThrows(() => loadConfig({ MAILBOX_URL: url, MAILBOX_SECRET: secret(length) }, root))
  }
})

test('what is no address or no secret is refused, in words that do not repeat it', (t) => {
  for (const wrong of [
    'http://mail.intra.example/',
    'ftp://mail.example',
    'mail.example',
    'https://citygate:hunter2@mail.example/',
    'http://localhost.evil.example/',
  ]) {
    const problems = problemsOf(t, { MAILBOX_URL: wrong, MAILBOX_SECRET: secret(32) })
    t.is(problems.length, 1)
    t.regex(problems[0] ?? '', /^environment MAILBOX_URL must be an https URL/)
    t.notRegex(problems.join(), /hunter2/)
  }
  const bare = randomBytes(32).toString('base64')
  for (const wrong of [bare, secret(23), secret(65), 'whsec_', 'whsec_not base64 at all, no']) {
    const problems = problemsOf(t, { MAILBOX_URL: url, MAILBOX_SECRET: wrong })
    t.is(problems.length, 1, wrong)
    t.regex(problems[0] ?? '', /^environment MAILBOX_SECRET must be whsec_/)
    t.false(problems.join().includes(wrong.slice(6) || 'nothing'))
  }
})

test('one of the two without the other is a mistake', (t) => {
  t.deepEqual(problemsOf(t, { MAILBOX_URL: url }), [
    'environment MAILBOX_SECRET must be set beside MAILBOX_URL',
  ])
  t.deepEqual(problemsOf(t, { MAILBOX_SECRET: secret(32) }), [
    'environment MAILBOX_URL must be set beside MAILBOX_SECRET',
  ])
})
