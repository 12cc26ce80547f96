/** The manifests: of the API's own types, and fitting each other. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { z } from 'zod'
import { temporaryFolder } from '../helpers/database.ts'
import { deployment, image, kubernetes, kustomization, readYaml, root } from './shapes.ts'

/** Kind → its model, and where its type comes from. */
const kinds = {
  Deployment: { model: Deployment, from: 'apps/v1' },
  Service: { model: Service, from: 'v1' },
  ServiceAccount: { model: ServiceAccount, from: 'v1' },
  Ingress: { model: Ingress, from: 'networking.k8s.io/v1' },
  NetworkPolicy: { model: NetworkPolicy, from: 'networking.k8s.io/v1' },
  PodDisruptionBudget: { model: PodDisruptionBudget, from: 'policy/v1' },
}
const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum(Object.keys(kinds) as [keyof typeof kinds]),
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
})

const readKustomization = (folder: string) =>
  kustomization.parse(readYaml(`${kubernetes}/${folder}/kustomization.yaml`))
const base = () =>
  readKustomization('base').resources.map((name) =>
    manifest.parse(readYaml(`${kubernetes}/base/${name}`)),
  )
const ofKind = (kind: keyof typeof kinds) => base().find((one) => one.kind === kind)
const pods = () => deployment.parse(ofKind('Deployment')).spec

test('every folder lists what is in it, and nothing else', (t) => {
  for (const folder of readdirSync(join(root, kubernetes))) {
    const files = readdirSync(join(root, kubernetes, folder))
    const { resources } = readKustomization(folder)
    const own = resources.filter((one) => !one.startsWith('..'))
    t.deepEqual(['kustomization.yaml', ...own].sort(), files.sort(), folder)
    for (const one of resources) t.true(existsSync(join(root, kubernetes, folder, one)), one)
  }
})

test('every manifest is valid by the API’s schema', (t) => {
  for (const document of base()) {
    const { model: Model, from } = kinds[document.kind]
    t.is(document.apiVersion, from)
    t.notThrows(() => new Model(document as never).validate(), document.kind)
  }
})

test('no manifest has a field that the API does not know', (t) => {
  // The schema lets unknown fields pass; as literals of the API's types the compiler finds them.
  const folder = temporaryFolder(t)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const lines = base().flatMap(({ kind, ...rest }, i) => [
    `import type { I${kind} as T${i} } from 'kubernetes-models/${kinds[kind].from}/${kind}'`,
    `export const m${i}: T${i} = ${JSON.stringify({ kind, ...rest })}`,
  ])
  writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
  const flags = '--ignoreConfig --noEmit --strict --module nodenext --target esnext --skipLibCheck'
  const { stdout, status } = spawnSync(
    join(root, 'node_modules', '.bin', 'tsc'),
    [...flags.split(' '), 'manifests.ts'],
    { cwd: folder, encoding: 'utf8' },
  )
  t.is(stdout, '')
  t.is(status, 0)
})

test('everything that picks pods picks these', (t) => {
  const { labels } = pods().template.metadata
  const selectors = {
    Deployment: pods().selector.matchLabels,
    Service: z.looseObject({ selector: z.unknown() }).parse(ofKind('Service')?.spec).selector,
    PodDisruptionBudget: z
      .looseObject({ selector: z.object({ matchLabels: z.unknown() }) })
      .parse(ofKind('PodDisruptionBudget')?.spec).selector.matchLabels,
    NetworkPolicy: z
      .looseObject({ podSelector: z.object({ matchLabels: z.unknown() }) })
      .parse(ofKind('NetworkPolicy')?.spec).podSelector.matchLabels,
  }
  for (const [kind, selector] of Object.entries(selectors)) t.deepEqual(selector, labels, kind)
  const monitor = z
    .looseObject({ spec: z.looseObject({ selector: z.object({ matchLabels: z.unknown() }) }) })
    .parse(readYaml(`${kubernetes}/monitoring/service-monitor.yaml`))
  t.deepEqual(monitor.spec.selector.matchLabels, ofKind('Service')?.metadata.labels)
})

test('containers run as the image’s user on a read-only root, with nothing they could gain', (t) => {
  const { spec } = pods().template
  t.like(spec.securityContext, {
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  })
  for (const one of [...spec.initContainers, ...spec.containers]) {
    t.like(one.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const { set } = image()
    const mounted = one.volumeMounts.map(({ mountPath }) => mountPath)
    for (const needed of [set.DATA_DIR, set.NODE_COMPILE_CACHE, '/tmp'])
      t.true(mounted.includes(needed ?? ''), `${one.name} can write to ${needed}`)
    for (const { name } of one.volumeMounts)
      t.true(
        spec.volumes.some((volume) => volume.name === name),
        name,
      )
  }
})

test('the schema is brought up to date before an instance starts, with the same settings', (t) => {
  const { initContainers, containers } = pods().template.spec
  const [migrate] = initContainers
  const [main] = containers
  t.deepEqual(migrate?.args, ['migrate'])
  t.deepEqual([migrate?.env, migrate?.envFrom], [main?.env, main?.envFrom])
  const [generated] = readKustomization('base').configMapGenerator
  t.is(generated?.name, main?.envFrom[0]?.configMapRef.name)
})

test('a roll takes no pod away before another is ready, and lets each finish', (t) => {
  const { strategy, template, replicas } = pods()
  t.true(replicas >= 2)
  t.like(strategy, { rollingUpdate: { maxUnavailable: 0 } })
  const { terminationGracePeriodSeconds, containers } = template.spec
  const [main] = containers
  const { preStop } = z
    .object({
      preStop: z.object({ exec: z.object({ command: z.tuple([z.literal('sleep'), z.string()]) }) }),
    })
    .parse(main?.lifecycle)
  // The program drains within ten seconds.
  t.true(Number(preStop.exec.command[1]) + 10 < terminationGracePeriodSeconds)
  const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.literal('http') }) })
  t.is(probe.parse(main?.readinessProbe).httpGet.path, '/health/ready')
  t.is(probe.parse(main?.livenessProbe).httpGet.path, '/health/live')
})

test('ports are the ones the program listens on', (t) => {
  const [main] = pods().template.spec.containers
  const ports = Object.fromEntries((main?.ports ?? []).map((one) => [one.name, one.containerPort]))
  const literals = readKustomization('base').configMapGenerator[0]?.literals ?? []
  t.deepEqual(ports, { http: Number(image().set.PORT), metrics: 9464 })
  t.true(literals.includes(`METRICS_PORT=${ports.metrics}`))
  const { ports: exposed } = z
    .looseObject({
      ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: z.string() })),
    })
    .parse(ofKind('Service')?.spec)
  t.deepEqual(
    exposed.map((one) => one.targetPort),
    Object.keys(ports),
  )
})

test('no manifest has a secret in it', (t) => {
  const folders = readdirSync(join(root, kubernetes))
  const kustomizations = folders.map((folder) => readKustomization(folder))
  for (const one of kustomizations) t.false('secretGenerator' in one)
  for (const { env } of pods().template.spec.containers)
    for (const { name, value } of env)
      if (!name.endsWith('_FILE')) t.is(value, undefined, `${name} comes from a Secret`)
})
