/** `npm run bench` measures what it says: every workload on every server, with nothing failing. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'

const root = join(import.meta.dirname, '..')

async function bench(...args: string[]) {
  const child = spawn(process.execPath, ['bench/run.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { out, complaints, code: await ended }
}

/** A row of a Markdown table as its cells. */
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

test('the bench runs every workload beside the ceiling and ends with its figures', async (t) => {
  t.timeout(600_000)
  const { out, complaints, code } = await bench('--quick', '--sqlite-only')
  t.is(code, 0, complaints + out)

  const lines = out.trimEnd().split('\n')
  const rows = lines.map(cells).filter(([, server]) => server === 'ceiling' || server === 'sqlite')
  const of = (server: string) => rows.filter((row) => row[1] === server && row.length > 10)
  const workloads = [
    'full sign-in',
    'silent',
    'refresh',
    'client cred.',
    'client cred. RS256 JWT',
    'client cred. ES256 JWT',
    'userinfo',
    'introspection',
    'discovery',
  ]
  for (const server of ['ceiling', 'sqlite']) {
    t.deepEqual(
      of(server).map(([workload]) => workload),
      workloads,
    )
    for (const [workload, , perSecond] of of(server)) {
      t.true(Number(perSecond) > 0, `${server} did no ${workload}`)
    }
  }
  // Fair: the same flow is as many requests on either.
  const requests = (server: string) => of(server).map((row) => row[9])
  t.deepEqual(requests('sqlite'), requests('ceiling'))
  t.deepEqual(requests('ceiling').slice(0, 3), ['5', '2', '1'])

  t.true(lines.includes('no request failed'), out)
  t.regex(out, /20 of 20 +\| sqlite/)
  t.regex(
    lines.at(-1) ?? '',
    /^bench: (full sign-in|silent|refresh|client cred\.|userinfo|introspection) pg - sqlite \d+\.\d\d(, (silent|refresh|client cred\.|userinfo|introspection) pg - sqlite \d+\.\d\d){5}$/,
  )
})

test('a workload nobody knows is named, with those there are', async (t) => {
  const { complaints, code } = await bench('--workloads=sign-out')
  t.is(code, 1)
  t.regex(complaints, /no workload sign-out; there are: full sign-in, silent/)
})
