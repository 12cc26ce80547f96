/** The Dockerfile: parsed and linted, and what its last stage puts together started as it says. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Instruction } from 'dockerfile-ast'
import dockerfileUtils from 'dockerfile-utils'
import { z } from 'zod'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { image, read, readDockerfile, root } from './shapes.ts'

/** Instructions after the last FROM: the image that is shipped. */
function shipped(): Instruction[] {
  const all = readDockerfile().getInstructions()
  return all.slice(all.findLastIndex((one) => one.getKeyword() === 'FROM'))
}
const argumentsOf = (keyword: string) =>
  shipped()
    .filter((one) => one.getKeyword() === keyword)
    .map((one) => one.getArguments().map((argument) => argument.getValue()))
const json = (keyword: string, text: (one: Instruction) => string | null): string[] => {
  const one = shipped().findLast((each) => each.getKeyword() === keyword)
  return z.array(z.string()).parse(JSON.parse((one && text(one)) ?? 'null'))
}

/** COPYs from the checkout, not from the other stage. */
const copies = () =>
  readDockerfile()
    .getCOPYs()
    .filter((copy) => !copy.getFlags().some((flag) => flag.getName() === 'from'))
    .map((copy) => {
      const all = copy.getArguments().map((argument) => argument.getValue())
      const line = copy.getRange().start.line
      return { line, sources: all.slice(0, -1), target: all.at(-1) ?? '' }
    })

test('the Dockerfile has no problem a linter knows', (t) => {
  t.deepEqual(
    dockerfileUtils.validate(read('Dockerfile')).map((one) => one.message),
    [],
  )
})

test('the image runs as somebody who is not root, and says so by number', (t) => {
  t.deepEqual(argumentsOf('USER'), [['1000:1000']])
})

test('what is compiled in the build stage meets the same Debian and the same Node', (t) => {
  const [build, last] = readDockerfile()
    .getFROMs()
    .map((from) => from.getImage() ?? '')
  t.regex(build ?? '', /^node:24-bookworm$/)
  t.is(last, `${build}-slim`)
  const { dependencies } = JSON.parse(read('package.json'))
  t.is('sqlite3' in dependencies, read('Dockerfile').includes('sqlite3'), 'what is compiled')
})

test('what the image copies is there, and .dockerignore lets it through', (t) => {
  const through = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  const sources = copies().flatMap((copy) => copy.sources)
  t.true(sources.includes('src'))
  for (const source of sources) t.true(existsSync(join(root, source)), source)
  t.deepEqual([...new Set(sources)].sort(), [...through].sort())
})

test('the image keeps its data and its compiled code on volumes', (t) => {
  const { set } = image()
  t.deepEqual(
    json('VOLUME', (one) => one.getArgumentsContent()),
    [set.DATA_DIR, set.NODE_COMPILE_CACHE],
  )
})

/** A folder as /app of the image is, with the packages of production and no others. */
function assemble(t: ExecutionContext): string {
  const app = temporaryFolder(t)
  const lastStage = shipped()[0]?.getRange().start.line ?? 0
  for (const { line, sources, target } of copies())
    for (const source of line > lastStage ? sources : []) {
      const to = target.endsWith('/') ? join(app, target, source) : join(app, target)
      cpSync(join(root, source), to, { recursive: true })
    }
  const lock = z
    .object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })
    .parse(JSON.parse(read('package-lock.json')))
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    const [, ...nested] = path.split('node_modules/')
    if (dev || nested.length !== 1 || !existsSync(join(root, path))) continue
    mkdirSync(dirname(join(app, path)), { recursive: true })
    symlinkSync(join(root, path), join(app, path))
  }
  return app
}

function start(cwd: string, env: NodeJS.ProcessEnv, [, ...args]: string[]): ChildProcess {
  return spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

test('what the image puts together starts, writes only to its volumes, is found healthy, ends at SIGTERM', async (t) => {
  const app = assemble(t)
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'kek'), randomBytes(32).toString('base64'))
  const files = () => readdirSync(app, { recursive: true }).sort()
  const before = files()
  const env = {
    ...image().set,
    DATA_DIR: join(folder, 'data'),
    NODE_COMPILE_CACHE: join(folder, 'cache'),
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    ISSUER: 'https://id.example.gov.tw',
    CITYGATE_KEK_FILE: join(folder, 'kek'),
  }
  const content = (one: Instruction) => one.getArgumentsContent()
  const program = start(app, env, [...json('ENTRYPOINT', content), ...json('CMD', content)])
  let said = ''
  program.stdout?.on('data', (chunk) => {
    said += chunk
  })
  program.stderr?.on('data', (chunk) => {
    said += chunk
  })
  t.teardown(() => void program.kill('SIGKILL'))

  const check = json('HEALTHCHECK', (one) => content(one)?.replace(/^[^[]*/, '') ?? null)
  const [, ...args] = check
  const healthy = () => spawnSync(process.execPath, args, { env }).status === 0
  t.false(healthy(), 'before it listens')
  for (let tries = 0; tries < 600 && !healthy(); tries++) {
    if (program.exitCode !== null) break
    await wait(100)
  }
  t.true(healthy(), said)
  program.kill('SIGTERM')
  const [code] = await once(program, 'exit')
  t.is(code, 0, said)
  t.deepEqual(files(), before, 'its own folder may be read-only')
})
