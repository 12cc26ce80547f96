/** The API: every operation at its path, for programs with an access token. */
import Router from '@koa/router'
import compose from 'koa-compose'
import { type Operation, perform } from '#admin/operation.ts'
import type { By } from '#admin/staff.ts'
import type { Stream } from '#admin/streams.ts'
import { type AnswerPorts, answerOutcome } from '../api/answer.ts'
import { openHolders } from '../api/holder.ts'
import { readFields, readInput } from '../api/input.ts'
import { openDocument } from '../api/openapi.ts'
import { ApiProblem } from '../api/problem.ts'
import { createsOf } from '../api/shape.ts'
import type { Context, Next, State } from '../context.ts'
import type { House } from '../house.ts'

const apiBase = '/api/v1'

/** Registers the operations' routes; what is not among them is answered by `openApi`. */
export function apiRoutes(
  router: Router<State>,
  house: House,
  operations: readonly Operation[],
  streams: readonly Stream[] = [],
): void {
  const { config, messages } = house
  const holders = openHolders(house)
  const ports = {
    issuer: config.issuer,
    messages,
    stepUp: holders.stepUp,
    creates: createsOf(operations),
  }
  const document = openDocument({ ...ports, operations, streams })

  router.get('api.openapi', `${apiBase}/openapi.json`, (ctx) => {
    ctx.type = 'application/json'
    ctx.body = document()
  })

  const route = ({ method, path }: Operation, handle: (ctx: Context, by: By) => Promise<void>) => ({
    path: `${apiBase}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    // The first that fits is taken: `/people/export` before `/people/{sub}`.
    rank: path.replaceAll(/\{\w+\}/g, '\uffff'),
    method: method.toLowerCase(),
    handle,
  })
  const routes = [
    ...operations.map((operation) =>
      route(operation, async (ctx, by) => {
        const input = await readInput(ctx, operation)
        answerOutcome(ctx, operation, await perform(house, by, operation, input), ports)
      }),
    ),
    ...streams.map((stream) =>
      route(stream.operation, (ctx, by) => answerStream(ctx, by, house, stream, ports)),
    ),
  ]
  for (const { path, method, handle } of routes.toSorted((a, b) => (a.rank < b.rank ? -1 : 1))) {
    router.register(path, [method], async (ctx: Context) => handle(ctx, await holders.find(ctx)))
  }
}

async function answerStream(
  ctx: Context,
  by: By,
  house: House,
  stream: Stream,
  ports: AnswerPorts,
): Promise<void> {
  const { operation } = stream
  if (stream.kind === 'gives') {
    const outcome = await stream.run(house, by, await readInput(ctx, operation))
    if (outcome.kind !== 'done') return answerOutcome(ctx, operation, outcome, ports)
    house.answer.download(ctx, { name: stream.file, type: csv, text: outcome.value })
    return
  }
  if (ctx.request.type !== 'text/csv') {
    throw new ApiProblem('media-type', { detail: 'Send text/csv, in UTF-8 or Big5.' })
  }
  ctx.state.waitForFile?.()
  const outcome = await stream.run(house, by, ctx.req, readFields(ctx, operation))
  // Of what nobody wanted the rest is dropped, so that the sender hears the answer.
  ctx.req.resume()
  answerOutcome(ctx, operation, outcome, ports)
}

const csv = 'text/csv; charset=utf-8'

/** All of it as one middleware: nothing below its paths is left to others. */
export function openApi(
  house: House,
  operations: readonly Operation[],
  streams: readonly Stream[] = [],
) {
  const router = new Router<State>({ sensitive: true, strict: true })
  apiRoutes(router, house, operations, streams)
  return compose([acceptJson, router.routes(), nothingHere(router)] as never[]) as unknown as (
    ctx: Context,
    next: Next,
  ) => Promise<unknown>
}

function acceptJson(ctx: Context, next: Next) {
  if (!ctx.accepts('application/json', 'application/problem+json', 'text/csv')) {
    throw new ApiProblem('not-acceptable')
  }
  return next()
}

const nothingHere = (router: Router<State>) => (ctx: Context) => {
  const found = router.stack.filter((layer) => layer.match(ctx.path))
  if (found.length === 0) throw new ApiProblem('no-such-path')
  const allowed = [...new Set(found.flatMap((layer) => layer.methods))].join(', ')
  throw new ApiProblem('method', { detail: `It takes ${allowed}.`, headers: { Allow: allowed } })
}
