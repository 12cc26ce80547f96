/** Reads what a call sends, as its operation has it: fields of the path, of the query, of a JSON body. */
import rawBody from 'raw-body'
import type { Operation } from '#admin/operation.ts'
import type { Context } from '../context.ts'
import { readJson } from './json.ts'
import { ApiProblem } from './problem.ts'
import { type JsonSchema, shapeOf } from './shape.ts'

const maxBody = 1024 * 1024

/** Throws an ApiProblem for what cannot be read; whether it is in order is for the operation to say. */
export async function readInput(ctx: Context, operation: Operation): Promise<object> {
  const { path, inQuery, fields } = shapeOf(operation)
  const given = inQuery ? readQuery(ctx, fields) : await readBody(ctx, operation.bodyBytes)
  for (const name of path) {
    if (Object.hasOwn(given, name)) {
      const problem = { field: name, message: 'stands in the path', code: 'unknown-field' }
      throw new ApiProblem('rejected', { problems: [problem] })
    }
  }
  const ofPath = path.map((name) => [name, typed(ctx.params[name] ?? '', fields[name])])
  return { ...given, ...Object.fromEntries(ofPath) }
}

/** Where a body is no JSON, the fields stand in the query. */
export const readFields = (ctx: Context, operation: Operation): object =>
  readQuery(ctx, shapeOf(operation).fields)

function readQuery(ctx: Context, fields: Record<string, JsonSchema>): Record<string, unknown> {
  const query = new URLSearchParams(ctx.querystring)
  const entries = [...new Set(query.keys())].map((name) => {
    const texts = query.getAll(name)
    const field = fields[name]
    if (field?.type === 'array') {
      return [name, texts.map((text) => typed(text, field.items as JsonSchema))]
    }
    // Which one would count? A list is no text: the operation refuses it.
    return [name, texts.length > 1 ? texts : typed(texts[0] ?? '', field)]
  })
  return Object.fromEntries(entries)
}

/** A text as the schema has it; one that is no such thing stays as it is, and is refused. */
function typed(text: string, schema: JsonSchema | undefined): unknown {
  switch (schema?.type) {
    case 'integer':
    case 'number':
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return text
  }
}

async function readBody(ctx: Context, limit = maxBody): Promise<Record<string, unknown>> {
  const { type, charset, length } = ctx.request
  const chunked = ctx.get('transfer-encoding') !== ''
  if (!type && !chunked && !length) return {}
  if (type !== 'application/json' || !/^(utf-?8)?$/i.test(charset)) {
    throw new ApiProblem('media-type', { detail: 'Send application/json, in UTF-8.' })
  }
  if (ctx.get('content-encoding')) {
    throw new ApiProblem('media-type', { detail: 'Send the body as it is, not compressed.' })
  }
  let bytes: Buffer
  try {
    bytes = await rawBody(ctx.req, { limit, length })
  } catch (cause) {
    // What still comes is dropped: the sender reads the answer when he has sent everything.
    ctx.req.resume()
    throw new ApiProblem('too-large', { detail: `At most ${limit} bytes.`, cause })
  }
  if (bytes.length === 0) return {}
  const read = readJson(bytes)
  if (read.kind === 'bad') throw new ApiProblem('bad-request', { detail: `${read.why}.` })
  return read.value
}
