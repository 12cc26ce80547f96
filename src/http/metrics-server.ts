/** Serves the metrics, on a port of their own: what is counted here is for operators, not for the world. */
import { type Listening, listenOn } from '#lib/listen.ts'

/** Prometheus' text format, version 0.0.4. */
const type = 'text/plain; version=0.0.4; charset=utf-8'

export function openMetricsServer(
  { port, host }: { port: number; host: string },
  text: () => Promise<string>,
): Promise<Listening> {
  const where = { port, hosts: [host], variable: 'METRICS_PORT', graceMs: 1_000 }
  return listenOn(where, async (request, response) => {
    const [path] = request.url?.split('?') ?? []
    if (path !== '/metrics') return void response.writeHead(404).end()
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    }
    try {
      const body = await text()
      response.writeHead(200, { 'content-type': type }).end(body)
    } catch {
      // A worker that does not answer the primary. The next scrape comes soon enough.
      response.writeHead(503, { 'retry-after': '5' }).end()
    }
  })
}
