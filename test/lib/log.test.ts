import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openLog } from '#lib/log.ts'

function capture() {
  const lines: string[] = []
  const log = openLog('info', { write: (line: string) => lines.push(line) })
  return { log, lines }
}

test('secrets and personal data are taken out wherever they stand', (t) => {
  const { log, lines } = capture()
  log.info({
    password: 'p1',
    form: { code: 'c1', 'set-cookie': 's1' },
    id_token: 'i1',
    way: 'password',
  })
  const line = lines.join('')
  for (const secret of ['p1', 'c1', 's1', 'i1']) t.false(line.includes(secret))
  t.like(JSON.parse(line), { way: 'password', level: 'info' })
})

test('an error is its type, message and causes, without a stack and on one line', (t) => {
  const { log, lines } = capture()
  const cause = Object.assign(new Error('connect\nrefused'), {
    code: 'ECONNREFUSED',
    body: 'token',
  })
  log.error({ err: new TypeError('fetch failed', { cause }) })
  t.is(lines.join('').trim().split('\n').length, 1)
  const { err } = JSON.parse(lines.join(''))
  t.deepEqual(err, {
    type: 'TypeError',
    message: 'fetch failed',
    cause: { type: 'Error', message: 'connect\nrefused', error_code: 'ECONNREFUSED' },
  })
})

test('what a parser could not read is not quoted', (t) => {
  const { log, lines } = capture()
  const cause = t.throws(() => JSON.parse('<h1>A123456789'), { instanceOf: SyntaxError })
  log.error({ err: new Error('nonsense', { cause }) })
  t.false(lines.join('').includes('A1234'))
})

/** What a process of its own wrote to the pipe it was given, once it is gone. */
async function outputOf(t: ExecutionContext, script: string): Promise<string[]> {
  const log = join(import.meta.dirname, '..', '..', 'src', 'lib', 'log.ts')
  const text = `import { flushLog, openLog } from ${JSON.stringify(log)}
    const log = openLog('info')
    const write = (n) => { for (let i = 0; i < n; i++) log.info({ i }, 'line') }
    ${script}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for await (const chunk of child.stdout) output += chunk
  return output.split('\n').filter((line) => line.includes('"msg":"line"'))
}

const ends = {
  'it runs out of work': 'write(2_000)',
  'it exits at once': 'write(2_000); process.exit(0)',
  'it is told to end and flushes': `process.once('SIGTERM', async () => {
      write(1_000)
      await flushLog(log)
      process.exit(0)
    })
    setInterval(() => {}, 1_000)
    write(1_000)
    process.kill(process.pid, 'SIGTERM')`,
  'nobody caught an error': `write(2_000); setTimeout(() => { throw new Error('oh') }, 1)`,
}

for (const [how, script] of Object.entries(ends)) {
  test(`no line is lost when ${how}`, async (t) => {
    t.is((await outputOf(t, script)).length, 2_000)
  })
}

test('a line is on its way within a second, though lines are written many at a time', async (t) => {
  const seen = await outputOf(
    t,
    "write(3); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1_800)",
  )
  t.is(seen.length, 3)
})

test('before a fatal line everything is written, whatever comes after', async (t) => {
  const seen = await outputOf(
    t,
    "write(9); log.fatal('over'); process.kill(process.pid, 'SIGKILL')",
  )
  t.is(seen.length, 9)
})

test('a full disk under the log ends nobody, and what is kept meanwhile has a bound', (t) => {
  const log = join(import.meta.dirname, '..', '..', 'src', 'lib', 'log.ts')
  const text = `import { flushLog, openLog } from ${JSON.stringify(log)}
    const log = openLog('info')
    const long = 'x'.repeat(60_000)
    for (let i = 0; i < 2_000; i++) {
      log.info({ long }, 'line')
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    globalThis.gc()
    const { rss } = process.memoryUsage()
    await Promise.race([flushLog(log), new Promise((resolve) => setTimeout(resolve, 500))])
    process.stderr.write(String(rss / 1e6))
    process.exit(0)`
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const ran = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', text], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
    timeout: 20_000,
  })
  t.is(ran.status, 0, ran.stderr)
  t.true(Number(ran.stderr.trim()) < 200, `${ran.stderr} MB`)
})
