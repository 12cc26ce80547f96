/** A pretend OpenID 2.0 provider behind a canned fetch: real associations and signatures, no network, a clock that stands still. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { type ConnectorFile, connectorFile, type OpenId2Settings } from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import type { FederationPorts, Trip } from '#federation/connector.ts'
import { openOpenId2Connector } from '#federation/connectors/openid2.ts'
import type { Profile } from '#federation/profile.ts'
import { lendFederation } from './lend.ts'

export const host = 'https://openid.county.example'
export const identifier = `${host}/op/`
export const endpoint = `${host}/op/server.aspx`
export const wang = `${host}/op/user.aspx/wang`
export const callback = 'https://id.example/upstream/county/callback'
export const start = Date.UTC(2031, 7, 1)

export const ax = 'http://openid.net/srv/ax/1.0'
export const sreg = 'http://openid.net/extensions/sreg/1.1'

type OpenId2File = Extract<ConnectorFile, { type: 'openid2' }>
const file = connectorFile.parse({
  id: 'county',
  type: 'openid2',
  label: { 'zh-TW': '某縣', en: 'Some County' },
  order: 1,
  profile: 'tainan',
  settings: {
    identifier,
    hosts: ['openid.county.example'],
    claimed_id: '^https://openid\\.county\\.example/op/user\\.aspx/[^/?#]+$',
    ax: ['http://axschema.edu.tw/school/id', 'http://axschema.edu.tw/person/guid'],
    sreg: ['fullname', 'email'],
  },
}) as OpenId2File

/** Only what it was told: what a vocabulary makes of that is its own story. */
const asTold: Profile = ({ attributes = {} }) => ({
  profile: {
    name: String(attributes['sreg.fullname'] ?? ''),
    ...(attributes['sreg.email'] ? { email: 'a@b.example', emailVerified: true } : {}),
  },
  affiliations: [],
  openid2Ids: [],
})

export type Call = { url: string; method: string; headers: Headers; body: URLSearchParams }

/** Fields by name without `openid.`, all of them signed unless taken out of `signed`. */
export type Draft = { fields: Record<string, string>; signed: string[] | undefined }

export type Canned = {
  settings?: Partial<OpenId2Settings>
  file?: Partial<Pick<OpenId2File, 'former' | 'fingerprint'>>
  insecure?: boolean
  /** It makes no associations. */
  stateless?: true
  sessionTypes?: string[]
  /** In place of what its Diffie–Hellman key would be. */
  serverPublic?: bigint
  expiresIn?: number
  /** In place of one path's healthy answer. */
  at?: Record<string, (call: Call) => Response | Promise<Response>>
  ports?: Partial<FederationPorts>
}

const modulus = BigInt(
  '0xdcf93a0b883972ec0e19989ac5a2ce310e1d37717e8d9571bb7623731866e61ef75a2e27898b057f9891c2e27a639c3f29b60814581cd3b2ca3986d2683705577d45c2e7e52dc81c7a171876e5cea74b1448bfdfaf18828efd2519f14e45e3826634af1949e5b535cc829a483b8a76223e5d490a257f05bdff16f2fb22c583ab',
)
export const largestPublic = modulus - 1n

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let b = base, e = exponent; e > 0n; b = (b * b) % modulus, e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus
  }
  return result
}

function btwoc(number: bigint): Buffer {
  const hex = number.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes
}

const numberIn = (base64: string) =>
  BigInt(`0x${Buffer.from(base64, 'base64').toString('hex') || '0'}`)

export const keyValue = (fields: Record<string, string>, status = 200) =>
  new Response(
    Object.entries(fields)
      .map(([key, value]) => `${key}:${value}\n`)
      .join(''),
    { status, headers: { 'content-type': 'text/plain' } },
  )

export const xrds = (services: string) =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD>${services}</XRD></xrds:XRDS>`,
    { headers: { 'content-type': 'application/xrds+xml; charset=utf-8' } },
  )

export const service = (uri: string, type = 'server', priority = 0) =>
  `<Service priority="${priority}"><Type>http://specs.openid.net/auth/2.0/${type}</Type><URI>${uri}</URI></Service>`

export const page = (head: string) =>
  new Response(`<!DOCTYPE html><html><head>${head}</head><body>系統維護中</body></html>`, {
    headers: { 'content-type': 'text/html' },
  })

/** A connector to a healthy provider, but for what the test says. Everything stays changeable under way. */
export function openUpstream(canned: Canned = {}) {
  const calls: Call[] = []
  const clock = { now: start }
  /** MAC keys by handle: shared with whoever asked, or its own. */
  const shared = new Map<string, Buffer>()
  const own = new Map<string, Buffer>()
  let made = 0

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const body = new URLSearchParams(await request.text())
    const call = { url: request.url, method: request.method, headers: request.headers, body }
    calls.push(call)
    const answer = canned.at?.[new URL(request.url).pathname]
    if (answer) return answer(call)
    if (request.url === identifier) return xrds(service(endpoint))
    if (request.url !== endpoint) return new Response('not found', { status: 404 })
    return body.get('openid.mode') === 'associate' ? associate(body) : checkAuthentication(body)
  }

  function associate(asked: URLSearchParams) {
    const types = canned.sessionTypes ?? ['DH-SHA256']
    const type = asked.get('openid.session_type') ?? ''
    if (canned.stateless || !types.includes(type)) {
      return keyValue({ error: 'no', error_code: 'unsupported-type' }, 400)
    }
    const handle = `h${++made}`
    const mac = randomBytes(32)
    shared.set(handle, mac)
    const about = {
      ns: 'http://specs.openid.net/auth/2.0',
      assoc_handle: handle,
      assoc_type: 'HMAC-SHA256',
      session_type: type,
      expires_in: String(canned.expiresIn ?? 14_400),
    }
    if (type === 'no-encryption') return keyValue({ ...about, mac_key: mac.toString('base64') })
    const secret = numberIn(randomBytes(64).toString('base64'))
    const theirs = numberIn(asked.get('openid.dh_consumer_public') ?? '')
    const mask = createHash('sha256')
      .update(btwoc(power(theirs, secret)))
      .digest()
    return keyValue({
      ...about,
      dh_server_public: btwoc(canned.serverPublic ?? power(2n, secret)).toString('base64'),
      enc_mac_key: Buffer.from(mac.map((byte, i) => byte ^ (mask[i] ?? 0))).toString('base64'),
    })
  }

  /** Answers for its own associations only, and once (§11.4.2.1). */
  function checkAuthentication(asked: URLSearchParams) {
    const handle = asked.get('openid.assoc_handle') ?? ''
    const mac = own.get(handle)
    own.delete(handle)
    const fields = Object.fromEntries([...asked].map(([name, value]) => [name.slice(7), value]))
    const right = mac && signatureOf(fields, mac) === fields.sig
    const unknown = fields.invalidate_handle
    return keyValue({
      ns: 'http://specs.openid.net/auth/2.0',
      is_valid: String(right === true),
      ...(unknown && !shared.has(unknown) ? { invalidate_handle: unknown } : {}),
    })
  }

  const signatureOf = (fields: Record<string, string>, mac: Buffer) =>
    createHmac('sha256', mac)
      .update(
        (fields.signed ?? '')
          .split(',')
          .map((name) => `${name}:${fields[name]}\n`)
          .join(''),
      )
      .digest('base64')

  const used = { ...canned.ports }
  const connector = openOpenId2Connector(
    {
      ...file,
      ...canned.file,
      settings: { ...file.settings, ...canned.settings },
      credentials: {},
      insecure: canned.insecure ?? false,
    },
    asTold,
    lendFederation({ fetch, now: () => clock.now, ...used }),
  )

  const begin = async (trip: Partial<Trip> = {}) => {
    const departure = await connector.begin({
      callbackUrl: callback,
      passwordUrl: 'https://id.example/upstream/county/password',
      state: 'st1',
      fresh: false,
      locales: [],
      ...trip,
    })
    const asked = Object.fromEntries(
      [...new URL(departure.url).searchParams].map(([name, value]) => [name.slice(7), value]),
    )
    return { ...departure, asked }
  }

  /** What it would answer that question with, signed. */
  function answer(asked: Record<string, string>, change: (draft: Draft) => void = () => {}) {
    const draft: Draft = {
      fields: {
        ns: 'http://specs.openid.net/auth/2.0',
        mode: 'id_res',
        op_endpoint: endpoint,
        claimed_id: wang,
        identity: wang,
        return_to: asked.return_to ?? '',
        response_nonce: `${new Date(clock.now).toISOString().slice(0, 19)}Z${randomBytes(4).toString('hex')}`,
        'ns.ext1': ax,
        'ext1.mode': 'fetch_response',
        'ext1.type.a1': 'http://axschema.edu.tw/school/id',
        'ext1.value.a1': '114620',
        'ns.ext2': sreg,
        'ext2.fullname': '王小明',
        'ext2.email': 'wang@tn.example',
      },
      signed: undefined,
    }
    const { fields } = draft
    change(draft)
    const handle = asked.assoc_handle
    const known = handle !== undefined && shared.has(handle)
    const mac = (known && shared.get(handle)) || randomBytes(32)
    if (known) fields.assoc_handle ??= handle
    else {
      fields.assoc_handle ??= `own${++made}`
      own.set(fields.assoc_handle, mac)
      if (handle !== undefined) fields.invalidate_handle = handle
    }
    const rest = ['ns', 'mode', 'invalidate_handle']
    fields.signed = (draft.signed ?? Object.keys(fields).filter((n) => !rest.includes(n))).join(',')
    fields.sig = signatureOf(fields, mac)
    return new URLSearchParams(Object.entries(fields).map(([n, v]) => [`openid.${n}`, v]))
  }

  type Back = {
    trip?: Partial<Trip>
    /** She left before: not again. */
    left?: Awaited<ReturnType<typeof begin>>
    /** Before it is signed. */
    draft?: (draft: Draft) => void
    /** On the way. */
    tamper?: (fields: URLSearchParams) => void
    post?: boolean
    /** The address it came to. */
    arrived?: (url: URL) => void
  }

  /** Leaves and comes back. */
  const signIn = async ({ trip, left, draft, tamper, post, arrived }: Back = {}) => {
    const { memo, asked } = left ?? (await begin(trip))
    const fields = answer(asked, draft)
    tamper?.(fields)
    return arrive(memo, asked, fields, { post, arrived })
  }

  const arrive = (
    memo: Record<string, string>,
    asked: Record<string, string>,
    fields: URLSearchParams,
    { post, arrived }: Pick<Back, 'post' | 'arrived'> = {},
  ) => {
    const url = new URL(asked.return_to ?? '')
    if (!post) for (const [name, value] of fields) url.searchParams.append(name, value)
    arrived?.(url)
    return connector.complete({ url, state: 'st1', ...(post ? { form: fields } : {}) }, memo)
  }

  const hosts = () => [...new Set(calls.map(({ url }) => new URL(url).host))]
  const modes = () => calls.map(({ body }) => body.get('openid.mode') ?? 'read')

  return { connector, canned, calls, clock, shared, begin, answer, arrive, signIn, hosts, modes }
}

/** The sign-in fails in one of these ways, its words give nothing away, and nobody was called who is not in the file. */
export async function fails(
  t: ExecutionContext,
  failures: UpstreamFailure[],
  { hosts }: Pick<ReturnType<typeof openUpstream>, 'hosts'>,
  work: () => Promise<unknown>,
  hint?: RegExp,
) {
  const error = await t.throwsAsync(work, { instanceOf: UpstreamError })
  t.true(error && failures.includes(error.failure), `${error?.failure}: ${error?.message}`)
  t.notRegex(error?.message ?? '', /wang|王小明|evil|st1/)
  t.deepEqual(
    hosts().filter((one) => one !== 'openid.county.example'),
    [],
  )
  if (hint) t.regex(error?.message ?? '', hint)
}
