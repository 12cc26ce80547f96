/** deploy/README.md: what it names is there. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { environment } from '#config/schema.ts'
import { composeFile, read, readEnvFile, readYaml, root } from './shapes.ts'

const page = () => read('deploy/README.md')

test('the page is found from the README', (t) => {
  t.true(read('README.md').includes('(deploy/README.md)'))
})

test('every file the page names is there', (t) => {
  const named = [...page().matchAll(/(?<![\w/])(Dockerfile|deploy\/[\w./-]*\w)/g)]
  const paths = new Set(named.map(([, path = '']) => path))
  t.true(paths.size > 5)
  for (const path of paths) t.true(existsSync(join(root, path)), path)
  // In the folder its commands change to.
  t.true(page().includes('cd deploy/compose\n'))
  const examples = [...page().matchAll(/(?<= )[\w./]+\.example(?= )/g)].map(([path]) => path)
  for (const path of examples.filter((one) => !one.startsWith('deploy/')))
    t.true(existsSync(join(root, 'deploy/compose', path)), path)
})

test('every link of the page leads to one of its headings, or to the README’s', (t) => {
  const headings = (text: string) =>
    [...text.matchAll(/^## (.+)$/gm)].map(([, words = '']) =>
      words
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
  const here = headings(page())
  for (const [, anchor = ''] of page().matchAll(/\]\(#([\w-]+)\)/g))
    t.true(here.includes(anchor), anchor)
  for (const [, anchor = ''] of page().matchAll(/\]\(\.\.\/README\.md#([\w-]+)\)/g))
    t.true(headings(read('README.md')).includes(anchor), anchor)
})

test('every command of ours on the page is one', (t) => {
  const calls = [
    ...page().matchAll(
      /(?<![/\w-])(?:citygate|bin\/citygate\.js|--rm) ((?:[a-z]+)(?: [a-z]+)?)(?= --|`| …|\n)/g,
    ),
  ]
  const commands = new Set(calls.map(([, words = '']) => words))
  t.true(commands.has('client list') && commands.has('config check'))
  for (const words of commands) {
    const { stdout } = spawnSync(
      process.execPath,
      ['bin/citygate.js', ...words.split(' '), '--help'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    )
    t.true(stdout.startsWith(`Usage: citygate ${words} `), words)
  }
})

test('every service it tells compose about is one', (t) => {
  const { services } = composeFile.parse(readYaml('deploy/compose/compose.yaml'))
  const told = page().matchAll(
    /docker compose (?:build|exec|run --rm|up -d --no-deps --wait) ([a-z0-9-]+)/g,
  )
  for (const [, name = ''] of told) t.true(name in services, name)
})

test('every variable on the page is read by the program or by compose', (t) => {
  const known = new Set([
    ...Object.keys(environment.shape),
    ...readEnvFile('deploy/compose/.env.example').named,
  ])
  const named = [...page().matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|ISSUER|HOST|WORKERS|PORT)`/g)]
  t.true(named.length > 5)
  for (const [, name = ''] of named) t.true(known.has(name), name)
})
