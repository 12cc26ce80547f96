/** What the files below deploy/ say, read by real parsers of their formats. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Dockerfile, DockerfileParser } from 'dockerfile-ast'
import { parse } from 'yaml'
import { z } from 'zod'

export const root = join(import.meta.dirname, '..', '..')
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')
// Merge keys are YAML 1.1, and what compose means by `<<`.
export const readYaml = (path: string): unknown => parse(read(path), { merge: true })

export const readDockerfile = (): Dockerfile => DockerfileParser.parse(read('Dockerfile'))

const text = z.union([z.string(), z.number()]).transform(String)

/** As far as we look: compose's own schema is held against the whole. */
export const composeFile = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string(),
      user: z.string().optional(),
      command: z.array(z.string()).optional(),
      read_only: z.boolean().optional(),
      cap_drop: z.array(z.string()).optional(),
      security_opt: z.array(z.string()).optional(),
      environment: z.record(z.string(), text).default({}),
      env_file: z.array(z.string()).default([]),
      secrets: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
      ports: z.array(z.string()).default([]),
      stop_grace_period: z.string().optional(),
      healthcheck: z.looseObject({
        test: z.array(z.string()).optional(),
        disable: z.boolean().optional(),
      }),
      networks: z.union([
        z.array(z.string()),
        z.record(z.string(), z.object({ ipv4_address: z.string().optional() }).nullable()),
      ]),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
    }),
  ),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.unknown()),
  networks: z.record(z.string(), z.unknown()),
})

/** `KEY=value` lines. A commented one is offered to the operator. */
export function readEnvFile(path: string) {
  const lines = read(path).matchAll(/^(# )?([A-Z][A-Z0-9_]*)=(.*)$/gm)
  const all = [...lines].map(([, hash, name = '', value = '']) => ({ hash, name, value }))
  const pick = (offered: boolean): NodeJS.ProcessEnv =>
    Object.fromEntries(
      all.filter(({ hash }) => Boolean(hash) === offered).map(({ name, value }) => [name, value]),
    )
  return { named: all.map(({ name }) => name), set: pick(false), offered: pick(true) }
}

/** Directives of a unit, in order; a key may come several times. */
export function readUnit(path: string): { section: string; key: string; value: string }[] {
  let section = ''
  const found: { section: string; key: string; value: string }[] = []
  for (const line of read(path).split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? []
    const at = line.indexOf('=')
    if (name) section = name
    else if (at < 0) throw new Error(`${path}: not a directive: ${line}`)
    else found.push({ section, key: line.slice(0, at), value: line.slice(at + 1) })
  }
  return found
}

const variable = z.object({ name: z.string(), value: z.string().optional() }).loose()
export const kustomization = z.looseObject({
  kind: z.enum(['Kustomization', 'Component']),
  resources: z.array(z.string()).default([]),
  configMapGenerator: z
    .array(z.looseObject({ name: z.string(), literals: z.array(z.string()) }))
    .default([]),
})

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).optional(),
  env: z.array(variable),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  securityContext: z.unknown(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
})
export const deployment = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    strategy: z.unknown(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.unknown(),
        initContainers: z.array(container),
        containers: z.array(container),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
})

export const kubernetes = 'deploy/kubernetes'

/** One way to run Citygate: the variables its files set, those they offer, and all they name. */
export type Shape = {
  name: string
  set: NodeJS.ProcessEnv
  offered?: NodeJS.ProcessEnv
  named: string[]
}

function imageEnvironment(): NodeJS.ProcessEnv {
  const properties = readDockerfile()
    .getENVs()
    .flatMap((env) => env.getProperties())
  return Object.fromEntries(properties.map((one) => [one.getName(), one.getValue() ?? '']))
}

/** The build stage has npm's variables, which are no business of the program's. */
export function image(): Shape {
  const entries = Object.entries(imageEnvironment()).filter(([name]) => !name.startsWith('npm_'))
  return { name: 'the image', set: Object.fromEntries(entries), named: entries.map(([n]) => n) }
}

function compose(): Shape {
  const { services } = composeFile.parse(readYaml('deploy/compose/compose.yaml'))
  const given = readEnvFile('deploy/compose/.env.example')
  const secret = readEnvFile('deploy/compose/citygate.env.example')
  const environment = services['citygate-1']?.environment ?? {}
  // `${NAME:-default}` and `${NAME:?complaint}`, as compose fills them in.
  const filled = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, variable, kind, otherwise) => {
      const found = given.set[variable] ?? (kind === '-' ? otherwise : undefined)
      if (found === undefined) throw new Error(`.env.example does not set ${variable}`)
      return found
    }),
  ])
  const own = given.named.filter((name) => name !== 'CITYGATE_VERSION')
  return {
    name: 'compose',
    set: { ...image().set, ...secret.set, ...Object.fromEntries(filled) },
    offered: secret.offered,
    named: [...Object.keys(environment), ...own, ...secret.named],
  }
}

function systemd(): Shape {
  const unit = readUnit('deploy/systemd/citygate.service').filter((d) => d.key === 'Environment')
  const own = Object.fromEntries(unit.map(({ value }) => value.split('=', 2)))
  const file = readEnvFile('deploy/systemd/citygate.env.example')
  // systemd: what EnvironmentFile sets counts over Environment.
  return {
    name: 'systemd',
    set: { ...own, ...file.set },
    offered: file.offered,
    named: [...Object.keys(own), ...file.named],
  }
}

function onKubernetes(): Shape {
  const literals = ['base', 'example'].flatMap((folder) =>
    kustomization
      .parse(readYaml(`${kubernetes}/${folder}/kustomization.yaml`))
      .configMapGenerator.flatMap((one) => one.literals),
  )
  const pairs = literals.map((line) => [
    line.slice(0, line.indexOf('=')),
    line.slice(line.indexOf('=') + 1),
  ])
  const { spec } = deployment.parse(readYaml(`${kubernetes}/base/deployment.yaml`))
  const env = spec.template.spec.containers.flatMap((one) => one.env)
  const plain = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))
  return {
    name: 'Kubernetes',
    set: { ...image().set, ...Object.fromEntries([...pairs, ...plain]) },
    named: [...pairs.map(([name = '']) => name), ...env.map(({ name }) => name)],
  }
}

export const shapes = (): Shape[] => [image(), compose(), systemd(), onKubernetes()]
