/** An OAuth 2.0 upstream behind a canned fetch that records every call and keeps PKCE's promise. */
import { createHash } from 'node:crypto'
import { type ConnectorFile, connectorFile, type OAuth2Settings } from '#config/connector.ts'
import { openOAuth2Connector } from '#federation/connectors/oauth2.ts'
import type { Profile, ProfileSources } from '#federation/profile.ts'
import { type Call, callback, json } from './canned-upstream.ts'
import { lendFederation } from './lend.ts'

type OAuth2File = Extract<ConnectorFile, { type: 'oauth2' }>
type Answer = (call: Call) => Response | Promise<Response>

export const base = 'https://county.example'

const file = connectorFile.parse({
  id: 'county',
  type: 'oauth2',
  label: { 'zh-TW': '某市', en: 'Some City' },
  order: 1,
  profile: 'mapped',
  map: { name: 'user.name' },
  settings: {
    issuer: base,
    authorization_endpoint: `${base}/oauth/authorize?lang=zh`,
    token_endpoint: `${base}/oauth/token`,
    client_id_env: 'ID',
    client_secret_env: 'SECRET',
    scopes: ['user', 'profile'],
    calls: [
      { claim: 'user', url: 'https://api.county.example/api/user' },
      { claim: 'profile', url: 'https://api.county.example/api/profile' },
      {
        claim: 'school',
        url: 'https://api.county.example/api/v2/school/{profile.o}',
        required: false,
      },
    ],
    subject: 'user.uuid',
  },
}) as OAuth2File

export type CannedOAuth2 = {
  settings?: Partial<OAuth2Settings>
  fingerprint?: string
  /** In place of one path's healthy answer. */
  at?: Record<string, Answer>
}

export function openCity(canned: CannedOAuth2 = {}) {
  const calls: (Call & { redirect: string })[] = []
  const sources: ProfileSources[] = []
  /** The challenge each code was asked with. */
  const challenges = new Map<string, string | null>()

  const token: Answer = ({ url, body }) => {
    const asked = new URL(url).search ? new URL(url).searchParams : body
    const challenge = challenges.get(asked.get('code') ?? '')
    if (challenge === undefined) return json({ error: 'invalid_grant' }, 400)
    const verifier = asked.get('code_verifier')
    const proof = verifier && createHash('sha256').update(verifier).digest('base64url')
    if (challenge !== proof) return json({ error: 'invalid_grant' }, 400)
    return json({ access_token: 'at-secret', token_type: 'Bearer', expires_in: 3600 })
  }
  const healthy: Record<string, Answer> = {
    '/oauth/token': token,
    '/api/user': () =>
      json({ uuid: 'u-1', name: '王小明', role: '教師', email: 'w@county.example' }),
    '/api/profile': () => json({ o: 'zhps', gender: '1', idno: 'A123456789' }),
    '/api/v2/school/zhps': () => json({ o: 'zhps', tpUniformNumbers: ['353698'] }),
    '/': () => new Response('not here', { status: 404 }),
  }
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const body = new URLSearchParams(await request.text())
    const { url, method, headers, redirect } = request
    const call = { url, method, headers, body, redirect }
    calls.push(call)
    const { pathname } = new URL(url)
    const answer = canned.at?.[pathname] ?? healthy[pathname]
    return answer ? answer(call) : new Response('not found', { status: 404 })
  }
  const profile: Profile = (said) => {
    sources.push(said)
    return { profile: { emailVerified: true }, affiliations: [], openid2Ids: [] }
  }
  const connector = openOAuth2Connector(
    {
      ...file,
      ...(canned.fingerprint && { fingerprint: canned.fingerprint }),
      settings: { ...file.settings, ...canned.settings },
      credentials: { clientId: 'city gate', clientSecret: 's:e c+rét' },
      insecure: false,
    },
    profile,
    lendFederation({ fetch }),
  )

  /** Leaves; the upstream has the code ready she will come back with. */
  const begin = async (code = 'code-secret', state = 'st1') => {
    const departure = await connector.begin({
      callbackUrl: callback,
      passwordUrl: 'https://id.example/upstream/county/password',
      state,
      fresh: true,
      locales: ['zh-TW'],
    })
    challenges.set(code, new URL(departure.url).searchParams.get('code_challenge'))
    return departure
  }
  const complete = (memo: Record<string, string>, query: string | Record<string, string>) =>
    connector.complete(
      { url: new URL(`${callback}?${new URLSearchParams(query)}`), state: 'st1' },
      memo,
    )
  const signIn = async (
    query: string | Record<string, string> = { code: 'code-secret', state: 'st1' },
  ) => complete((await begin()).memo, query)
  const hosts = () => [...new Set(calls.map(({ url }) => new URL(url).host))]

  return { connector, calls, sources, begin, complete, signIn, hosts }
}
