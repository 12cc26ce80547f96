/** Traces of requests, for whoever asks by OpenTelemetry's own environment variables. Otherwise none of it is read. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Log } from './log.ts'

export type Attributes = Record<string, string | number | boolean>

/** How a request ended, by the names OpenTelemetry has for it. Nothing in it comes from a path or a query. */
export type Ending = { method: string; route: string; status: number }

export type RequestTrace = { id: string; end(ending: Ending): void }

export type Tracing = {
  /** Runs `work` in the span of one request, continuing the caller's trace (W3C Trace Context). */
  request<T>(
    headers: IncomingHttpHeaders,
    work: (trace: RequestTrace | undefined) => Promise<T>,
  ): Promise<T>
  /** Runs `work` in a span under the one that is open. An error marks it with `failure` or its name. */
  span<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>
  /** Sends what has not been sent yet. */
  close(): Promise<void>
}

export const untraced: Tracing = {
  request: (_headers, work) => work(undefined),
  span: (_name, _attributes, work) => work(),
  close: async () => {},
}

/** Traces when the environment asks for it. What we cannot do is said in the log, and left (OpenTelemetry's rule). */
export async function openTracing(
  env: NodeJS.ProcessEnv,
  { log, host }: { log: Log; host: string },
): Promise<Tracing> {
  if (!isAsked(env, log)) return untraced
  const { openOpenTelemetry } = await import('./open-telemetry.ts')
  return openOpenTelemetry({ log, host })
}

function isAsked(env: NodeJS.ProcessEnv, log: Log): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false
  const exporter = env.OTEL_TRACES_EXPORTER?.trim()
  if (exporter && exporter !== 'otlp') {
    if (exporter !== 'none')
      log.warn({ exporter }, 'OTEL_TRACES_EXPORTER: only otlp and none are known here; no traces')
    return false
  }
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!endpoint && !exporter) return false
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL
  if (protocol === 'grpc') {
    log.warn('OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not spoken here, traces go by http/json')
  }
  return true
}
