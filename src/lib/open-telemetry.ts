/** Tracing by OpenTelemetry: spans to a collector by OTLP over HTTP. Nothing of it is global, no library is patched. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
import {
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Log } from './log.ts'
import type { Tracing } from './tracing.ts'

/** How long the last spans may take on their way when we end. */
const patienceMs = 3_000

/** `host`: where people find us, as `server.address` says. Sampler, limits and endpoint come from OTEL_* variables. */
export function openOpenTelemetry({ log, host }: { log: Log; host: string }): Tracing {
  // The only global there is: how the exporter says that the collector is away.
  const say = (message: string) => log.warn({ why: message.slice(0, 300) }, 'tracing')
  const quiet = () => {}
  diag.setLogger(
    { error: say, warn: say, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'citygate' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  })
  const tracer = provider.getTracer('citygate')
  const propagator = new W3CTraceContextPropagator()
  const current = new AsyncLocalStorage<Context>()

  const run = <T>(above: Context, span: Span, work: () => Promise<T>) =>
    current.run(trace.setSpan(above, span), work)

  return {
    request(headers, work) {
      const above = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, above)
      return run(above, span, () =>
        work({
          id: span.spanContext().traceId,
          end({ method, route, status }) {
            span.updateName(`${method} ${route}`)
            span.setAttributes({
              'http.request.method': method,
              'http.route': route,
              'http.response.status_code': status,
              'server.address': host,
            })
            if (status >= 500) {
              span.setAttribute('error.type', String(status))
              span.setStatus({ code: SpanStatusCode.ERROR })
            }
            span.end()
          },
        }),
      )
    },
    async span(name, attributes, work) {
      const above = current.getStore()
      // What runs outside a request, a sweep or a start, belongs to no trace.
      if (!above) return work()
      const span = tracer.startSpan(name, { attributes }, above)
      try {
        return await run(above, span, work)
      } catch (error) {
        span.setAttribute('error.type', typeOf(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    async close() {
      const late = setTimeout(patienceMs, undefined, { ref: false })
      // A collector that is away must not keep us from ending in order.
      const sent = provider.shutdown().catch((error: unknown) => say(String(error)))
      await Promise.race([sent, late])
    },
  }
}

/** Its kind, never its message: an upstream's words have no place in a trace. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'failure' in error ? String(error.failure) : error.name
}
