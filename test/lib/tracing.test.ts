/** The whole program with a collector that writes down what it is told. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openLog } from '#lib/log.ts'
import { openTracing, untraced } from '#lib/tracing.ts'
import { openBrowser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { plainRules } from '../helpers/plain-rules.ts'

const root = join(import.meta.dirname, '..', '..')

type Value = { stringValue?: string; intValue?: number }
type Span = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: { key: string; value: Value }[]
  status: { code: number; message?: string }
}
type Export = {
  resourceSpans: {
    resource: { attributes: { key: string; value: Value }[] }
    scopeSpans: { spans: Span[] }[]
  }[]
}

const has = (span: Span, key: string) => {
  const value = span.attributes.find((one) => one.key === key)?.value
  return value?.stringValue ?? value?.intValue
}

async function openCollector(t: ExecutionContext) {
  const exports: Export[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      if (request.url === '/v1/traces') exports.push(JSON.parse(body))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up))
  t.teardown(() => server.close())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    spans: () =>
      exports.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
  }
}

async function serve(t: ExecutionContext, env: NodeJS.ProcessEnv, flags: string[] = []) {
  const [PORT, DEMO_PORT, SANDBOX_PORT] = await Promise.all([freePort(), freePort(), freePort()])
  const ports = { PORT: `${PORT}`, DEMO_PORT: `${DEMO_PORT}`, SANDBOX_PORT: `${SANDBOX_PORT}` }
  const child: ChildProcess = spawn(process.execPath, [...flags, 'bin/citygate.js', 'serve'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      CITYGATE_CONFIG: plainRules(),
      DATA_DIR: temporaryFolder(t),
      ...ports,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      output += chunk
      if (output.includes(`http://localhost:${PORT}\n`)) resolve()
    })
    child.once('close', (code) => reject(new Error(`did not start, exit ${code}: ${errors}`)))
  })
  return {
    issuer: `http://localhost:${PORT}`,
    demo: `http://localhost:${DEMO_PORT}`,
    errors: () => errors,
    /** Ends it in order; every line it wrote. */
    async end(): Promise<string[]> {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await ended
      return output.split('\n')
    },
  }
}

test('a sign-in through a county is a trace, and the log names it', async (t) => {
  const collector = await openCollector(t)
  const house = await serve(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  })
  const browser = openBrowser()
  const page = await browser.open(`${house.demo}/login`)
  const wrong = await browser.submit(page, 'local-form', { account: 'nobody', password: 'wrong' })
  const atCounty = await browser.submit(wrong, 'county-form', { connector: 'ntpc' })
  const back = await browser.submit(atCounty, 'county-login', {
    account: 'ntpctest',
    password: 'ntpctest',
  })
  t.is(back.url.href, `${house.demo}/`)
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  await fetch(`${house.issuer}/.well-known/openid-configuration?secret=1`, {
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
  })
  const lines = await house.end()

  const spans = collector.spans()
  const find = (name: string) => {
    const span = spans.find((one) => one.name === name)
    if (!span) throw new Error(`no span ${name} among ${spans.map((one) => one.name).join(', ')}`)
    return span
  }
  const callback = find('GET /upstream/:connector/callback')
  t.is(has(callback, 'http.request.method'), 'GET')
  t.is(has(callback, 'http.route'), '/upstream/:connector/callback')
  t.is(has(callback, 'http.response.status_code'), 303)
  t.is(has(callback, 'server.address'), 'localhost')
  const complete = find('upstream complete')
  t.is(complete.parentSpanId, callback.spanId)
  t.is(complete.traceId, callback.traceId)
  t.is(has(complete, 'citygate.connector'), 'ntpc')
  t.is(find('database transaction').traceId, callback.traceId)
  t.is(find('upstream begin').parentSpanId, find('POST /interaction/:uid/upstream').spanId)
  t.is(find('password hash').parentSpanId, find('POST /interaction/:uid/sign-in').spanId)
  const called = spans.filter((one) => one.traceId === traceId)
  t.deepEqual(
    called.map(({ name, parentSpanId }) => [name, parentSpanId]),
    [['GET discovery', '00f067aa0ba902b7']],
    'the caller’s trace goes on',
  )

  const text = JSON.stringify(collector.exports)
  t.notRegex(text, /secret=1|ntpctest|[?&](code|state)=/, 'no query, no person')
  const resource = collector.exports[0]?.resourceSpans[0]?.resource.attributes ?? []
  const named = Object.fromEntries(resource.map(({ key, value }) => [key, value.stringValue]))
  t.like(named, { 'service.name': 'citygate', 'deployment.environment.name': 'test' })

  const log = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  const signIn = log.find(({ msg, way }) => msg === 'sign-in' && way === 'upstream')
  t.is(signIn?.trace_id, callback.traceId)
  const request = log.find(({ ref, msg }) => ref === signIn?.ref && msg === 'request')
  t.is(request?.trace_id, callback.traceId)
})

test('who does not ask gets no traces and reads no line of OpenTelemetry or prom-client', async (t) => {
  const hook = `import { registerHooks } from 'node:module'
    import { writeSync } from 'node:fs'
    registerHooks({
      load(url, context, next) {
        if (/opentelemetry|prom-client|open-telemetry/.test(url)) writeSync(2, 'loaded ' + url)
        return next(url, context)
      },
    })`
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
  const collector = await openCollector(t)
  const off = { SANDBOX: 'off', OTEL_SERVICE_NAME: 'x' }
  const house = await serve(t, off, flags)
  await fetch(`${house.issuer}/.well-known/openid-configuration`)
  const lines = await house.end()
  t.is(house.errors(), '')
  t.false(lines.some((line) => line.includes('trace_id')))
  t.true(lines.some((line) => line.includes('"route":"discovery"')))

  const on = { ...off, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, METRICS_PORT: '0' }
  const seeing = await serve(t, on, flags)
  await seeing.end()
  t.regex(seeing.errors(), /prom-client/, 'the hook would have seen it')
  t.regex(seeing.errors(), /@opentelemetry/)
})

test('a collector that is away costs nobody a request and is said once in a while', async (t) => {
  const house = await serve(t, {
    SANDBOX: 'off',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  })
  t.is((await fetch(`${house.issuer}/.well-known/openid-configuration`)).status, 200)
  const lines = await house.end()
  t.true(lines.some((line) => line.includes('"msg":"tracing"')))
})

test('OpenTelemetry’s own words decide, and a word we do not know is said and left', async (t) => {
  const lines: string[] = []
  const log = openLog('info', { write: (line: string) => lines.push(line) })
  const asked = (env: NodeJS.ProcessEnv) => openTracing(env, { log, host: 'localhost' })
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  t.is(await asked({}), untraced)
  t.is(await asked({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }), untraced)
  t.is(await asked({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), untraced)
  t.deepEqual(lines, [])
  t.is(await asked({ ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' }), untraced)
  t.regex(lines.join(''), /OTEL_TRACES_EXPORTER: only otlp and none/)
  const tracing = await asked({ OTEL_TRACES_EXPORTER: 'otlp' })
  t.not(tracing, untraced)
  t.is(await tracing.span('outside a request', {}, async () => 1), 1)
})
