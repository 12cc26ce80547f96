/** The only reader of what a browser sends: past this file there is no `ctx`, no `unknown`. */
import rawBody from 'raw-body'
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import type { Context } from './context.ts'
import { encodedBytes, mostFields } from './form-size.ts'
import { limits, readMultipart, type TooLarge, type Upload } from './multipart.ts'
import { Problem } from './problem.ts'
import { readStreamedUpload, type StreamedUpload } from './streamed-upload.ts'

export type Fields = Readonly<Record<string, string>>

/** The query's parameters. Throws a Problem when one comes twice: which one would count? */
export const readQuery = (ctx: Context): Fields => single(new URLSearchParams(ctx.querystring))

/** What was chosen of `values`; undefined where it is none of them. */
export const oneOf = <T extends string>(
  values: readonly T[],
  chosen: string | undefined,
): T | undefined => values.find((one) => one === chosen)

/** A form as it was sent. Throws a Problem for another content type or a body too large. */
export async function readBody(
  ctx: Context,
  limit: number | string = encodedBytes(),
): Promise<URLSearchParams> {
  if (!ctx.is('application/x-www-form-urlencoded')) throw new Problem(415, 'method')
  let body: string
  try {
    body = await rawBody(ctx.req, { limit, encoding: 'utf8', length: ctx.request.length })
  } catch (cause) {
    // What still comes is dropped: a browser reads the answer when it has sent everything.
    ctx.req.resume()
    throw new Problem(413, 'too-large', { cause })
  }
  if (body.split('&', mostFields + 1).length > mostFields) throw new Problem(413, 'too-large')
  return new URLSearchParams(body)
}

/** A line end that was typed is one letter, which browsers send as two. */
const asTyped = (fields: Iterable<[name: string, value: string]>): [string, string][] =>
  Array.from(fields, ([name, value]) => [name, value.replaceAll('\r\n', '\n')])

function single<T>(params: Iterable<[name: string, value: T]>): Readonly<Record<string, T>> {
  const fields: Record<string, T> = Object.create(null)
  for (const [name, value] of params) {
    // PostgreSQL keeps no NUL: nobody who types sends one.
    if (name in fields || (typeof value === 'string' && value.includes('\0')))
      throw new Problem(400, 'app.request', { params: { detail: 'invalid_request' } })
    fields[name] = value
  }
  return fields
}

/** A form token is good for one browser: what another site makes it send does not carry one. */
export const formToken = (key: Buffer, device: string): string => hmac(key, device)

export type Files = Readonly<Record<string, Upload | TooLarge>>

/**
 * The fields of a form of ours, in which so many letters may be typed where they are many; files are not looked at.
 * Throws as `readUploads` does.
 */
export const readForm = async (ctx: Context, key: Buffer, letters?: number): Promise<Fields> =>
  (await readOurs(ctx, key, { keepFiles: false, letters })).fields

/**
 * A form of ours with its files. Throws a Problem for one that did not come from our own page in this very browser
 * (OWASP CSRF: token bound to the browser, and Fetch Metadata where the browser sends it), for a name that comes twice
 * and for what is too large as a whole; a single file that is too large is marked.
 */
export const readUploads = (
  ctx: Context,
  key: Buffer,
  letters?: number,
): Promise<{ fields: Fields; files: Files }> => readOurs(ctx, key, { keepFiles: true, letters })

async function readOurs(
  ctx: Context,
  key: Buffer,
  { keepFiles, letters }: { keepFiles: boolean; letters?: number | undefined },
) {
  const check = openFormCheck(ctx, key)
  const sent = ctx.is('multipart/form-data')
    ? await readMultipart(ctx.req, { keepFiles, letters })
    : { fields: await readBody(ctx, encodedBytes(letters)), files: [] }
  // One name, one value: a file and a field do not share it either.
  single<unknown>([...sent.fields, ...sent.files])
  return { fields: check(single(asTyped(sent.fields))), files: single(sent.files) }
}

/** Who sends it, before it is read; what it carries, after. */
function openFormCheck(ctx: Context, key: Buffer) {
  const { device, deviceKnown } = ctx.state
  const site = ctx.get('sec-fetch-site')
  if (site && site !== 'same-origin' && site !== 'none') throw new Problem(403, 'forbidden')
  if (device === undefined) throw new Error('form route without the device middleware')
  if (!deviceKnown) throw new Problem(403, 'cookies')
  return (fields: Fields): Fields => {
    if (!equalInConstantTime(fields.form_token ?? '', formToken(key, device)))
      throw new Problem(403, 'forbidden')
    return fields
  }
}

/**
 * A form of ours with one file too large to be kept: it comes as it is read. Throws as `readUploads` does. Of a form
 * that is refused what still comes is dropped.
 */
export async function readFileForm(
  ctx: Context,
  key: Buffer,
  most: number,
): Promise<{ fields: Fields; file?: StreamedUpload['file'] }> {
  const check = openFormCheck(ctx, key)
  if (!ctx.is('multipart/form-data')) throw new Problem(415, 'method')
  // What says that it is too much need not be begun: the rest of the form is small.
  if ((ctx.request.length ?? 0) > most + limits.fieldsBytes) {
    ctx.req.resume()
    throw new Problem(413, 'file-too-large', {
      params: { most: String(Math.floor(most / 1024 ** 2)) },
    })
  }
  const { fields, file } = await readStreamedUpload(ctx.req)
  try {
    const checked = check(single(asTyped(fields)))
    ctx.state.waitForFile?.()
    return { fields: checked, ...(file ? { file } : {}) }
  } catch (error) {
    ctx.req.unpipe()
    ctx.req.resume()
    throw error
  }
}

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1), never from the query. */
export const readBearer = (ctx: Context): string | undefined =>
  /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1]
