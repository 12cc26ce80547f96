import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Ajv } from 'ajv'
import test from 'ava'
import { parse } from 'yaml'
import { jsonSchemaOf, jsonSchemaText, type KindOfFile, kindsOfFile } from '#config/json-schema.ts'

const config = join(import.meta.dirname, '..', '..', 'config')
const fileOf = (kind: KindOfFile) => join(config, 'schema', `${kind}.schema.json`)

const files = readdirSync(config, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.ya?ml$/.test(name),
)

/** What a file is, by where it lies. */
function kindOf(name: string): KindOfFile {
  if (name.endsWith('/site.yaml')) return 'site'
  return name.includes('/connectors/') ? 'connector' : 'enrolment'
}

const validatorOf = (kind: KindOfFile) =>
  new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(jsonSchemaOf(kind))

for (const kind of kindsOfFile) {
  test(`config/schema/${kind}.schema.json is what reads the files: npx citygate config schema --write`, (t) => {
    t.is(readFileSync(fileOf(kind), 'utf8'), jsonSchemaText(kind))
  })
}

test('every file in config/ names its schema for editors, and is as it wants', (t) => {
  t.true(files.length > 20)
  for (const name of files) {
    const file = join(config, name)
    const text = readFileSync(file, 'utf8')
    const [first = ''] = text.split('\n')
    const [, named = ''] = /^# yaml-language-server: \$schema=(\S+)$/.exec(first) ?? []
    const kind = kindOf(name)
    t.is(relative(resolve(dirname(file), named), fileOf(kind)), '', `${name} names ${first}`)
    const valid = validatorOf(kind)
    valid(parse(text))
    t.deepEqual(valid.errors ?? [], [], name)
  }
})

test('what an editor is given refuses what an operator may mistype', (t) => {
  const valid = validatorOf('enrolment')
  const words = { 'zh-TW': '甲', en: 'A' }
  const good = {
    id: 'a',
    title: words,
    entry: { visitor: {} },
    steps: [{ id: 'a', type: 'captcha' }],
    creates: {},
  }
  t.true(valid(good))
  const bad: Record<string, unknown>[] = [
    { colour: 'red' },
    { title: { en: 'A' } },
    { steps: [] },
    { steps: [{ id: 'a', type: 'captchas' }] },
    { steps: [{ id: 'a', type: 'captcha', terms: 'x' }] },
    { steps: [{ id: 'A', type: 'captcha' }] },
    { steps: [{ id: 'a', type: 'captcha', when: { x: [] } }] },
  ]
  for (const one of bad) t.false(valid({ ...good, ...one }), JSON.stringify(one))
})

type Node = { description?: string; properties?: Record<string, Node>; [key: string]: unknown }

test('an editor can say what each key of a step and of a field is for', (t) => {
  const undescribed: string[] = []
  const walk = (node: Node, path: string[]) => {
    for (const [key, value] of Object.entries(node.properties ?? {})) {
      const said = [value, ...((value.allOf as Node[] | undefined) ?? [])]
      const isRef = said.some((one) => String(one.$ref ?? '').match(/condition|options/))
      if (!isRef && !value.description) undescribed.push([...path, key].join('.'))
    }
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === 'object' && value !== null) walk(value as Node, [...path, key])
    }
  }
  walk(jsonSchemaOf('enrolment') as Node, [])
  const self = /(\.(type|fact|data|en|zh-TW)|^(fact|type))$/
  t.deepEqual(
    undescribed.filter((path) => !self.test(path)),
    [],
  )
})
