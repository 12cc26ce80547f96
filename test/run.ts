/**
 * `npm test`: lint, types and every test, on SQLite and on PostgreSQL, with a Chromium found or installed first.
 * The last line is `N passed, N failed`; lint and types count as one check each.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findChromium, installChromium } from './helpers/chromium.ts'
import { ensurePackages, peerPackages } from './helpers/debian.ts'
import { startPostgres } from './helpers/postgres.ts'

const tally = { passed: 0, failed: 0 }
/** Each test file is a process: what one has compiled, the next need not. */
const compiled = join(tmpdir(), 'citygate-compiled')
const count = (ok: boolean) => {
  tally[ok ? 'passed' : 'failed']++
}

function check(title: string, command: string, ...args: string[]) {
  console.log(`# ${title}`)
  count(spawnSync(command, args, { stdio: 'inherit' }).status === 0)
}

/** What files begin from, made once for all of them. */
const templates = mkdtempSync(join(tmpdir(), 'citygate-templates-'))
process.once('exit', () => rmSync(templates, { recursive: true, force: true }))

function makeTemplates(env: NodeJS.ProcessEnv = {}) {
  process.env.TEST_TEMPLATES = templates
  const made = spawnSync('node', [join(import.meta.dirname, 'helpers', 'make-templates.ts')], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (made.status !== 0) count(false)
}

/** Runs AVA and counts what it says in TAP, so that no summary has to be believed. */
async function runTests(files: string[], { env = {}, atOnce = 2 }: Round = {}) {
  const ava = spawn('ava', ['--tap', `--concurrency=${atOnce}`, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled, ...env },
  })
  const ended = new Promise<number | null>((resolve) => ava.on('close', resolve))
  let failed = 0
  let whole = false
  for await (const line of createInterface({ input: ava.stdout })) {
    if (line.startsWith('ok ') && !/# (skip|todo)/i.test(line)) tally.passed++
    else if (line.startsWith('not ok ')) failed++
    whole ||= line.startsWith('1..')
    if (!line.startsWith('# ') && !line.startsWith('1..')) console.log(line)
  }
  // A crash before the first test prints no `not ok`; one in the middle, AVA's own too, no plan at the end.
  if ((await ended) !== 0 && failed === 0) failed = 1
  if (!whole) {
    console.log('not ok - AVA did not come to its end: what it had not run yet is not counted')
    failed++
  }
  tally.failed += failed
}

type Round = {
  env?: NodeJS.ProcessEnv
  /** Test files at the same time. */
  atOnce?: number
}

/** Files that drive peers only Debian packages: run wherever those can be had, and named where they cannot. */
async function leaveOutPeers(): Promise<string[]> {
  try {
    await ensurePackages(Object.values(peerPackages).flat())
    return []
  } catch (error) {
    console.log(
      `# not run here: what drives programs only Debian packages. ${error instanceof Error ? error.message : error}`,
    )
    return [
      '!test/interop/{authlib,glewlwyd,mod-auth-openidc,python-openid,simplesamlphp,slapd}.test.ts',
      '!test/deploy/nginx.test.ts',
      '!test/deploy/systemd.test.ts',
      '!test/stories/rolling-restart.test.ts',
    ]
  }
}

/**
 * Whole worlds that hold on PostgreSQL as on SQLite. What each statement does on both engines the store's own tests say;
 * what is about pages, counters or programs asks no engine.
 */
const onBothEngines = [
  'test/accounts/**/*.test.ts',
  'test/oidc/{code-flow,grants,registration,two-secrets}.test.ts',
  'test/security/{core,people,client-model}.test.ts',
  'test/stories/{counties,joining,migration}.test.ts',
]

const files = process.argv.slice(2)
if (files.length === 0) {
  check('lint and format', 'biome', 'ci', '--error-on-warnings', '.')
  check('types', 'tsc')
}
installChromium()
process.env.CHROMIUM = findChromium()
// One server for all tests; each makes a database of its own in it.
const postgres = process.env.TEST_DATABASE_URL ? undefined : await startPostgres()
if (postgres) process.env.TEST_DATABASE_URL = postgres.url
if (files.length > 0) await runTests(files)
else {
  const left = await leaveOutPeers()
  makeTemplates()
  // Each waits a fifth of its time: for a browser, a program, the other side.
  await runTests(['test/**/*.test.ts', '!test/stories/**', ...left], { atOnce: 3 })
  console.log('# stories')
  // Who tells them mostly waits: for a program to start, to be killed, to come back.
  await runTests(['test/stories/**/*.test.ts', ...left], { atOnce: 4 })
  console.log('# whole worlds on PostgreSQL')
  makeTemplates({ TEST_ENGINE: 'postgres' })
  await runTests(onBothEngines, { env: { TEST_ENGINE: 'postgres' } })
}
await postgres?.stop()
console.log(`${tally.passed} passed, ${tally.failed} failed`)
process.exitCode = tally.failed === 0 ? 0 : 1
