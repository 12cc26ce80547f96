import test from 'ava'
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
