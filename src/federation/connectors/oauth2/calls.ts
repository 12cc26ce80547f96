/** The calls that say who the token's person is, one after the other. */
import type { OAuth2Settings } from '#config/connector.ts'
import { UpstreamError } from '#errors.ts'
import { during, Fault } from '../../calls/fault.ts'
import { readObject } from '../../calls/json-object.ts'
import type { Network } from '../../calls/reach.ts'
import type { Claims } from '../../profile.ts'
import { asWritten } from './claim-path.ts'
import { fillUrl, isTemplate } from './filled-url.ts'

type Call = OAuth2Settings['calls'][number]
type Asked = { connector: string; accessToken: string; fetch: Network }
type Answers = {
  /** Each answer under its call's name. */
  claims: Claims
  /** Calls that failed and may. */
  unread: string[]
}

export async function makeCalls(calls: Call[], asked: Asked): Promise<Answers> {
  const claims: Claims = {}
  const unread: string[] = []
  for (const call of calls) {
    try {
      claims[call.claim] = await during(asked.connector, call.claim, () => ask(call, claims, asked))
    } catch (error) {
      if (call.required || !(error instanceof UpstreamError)) throw error
      unread.push(call.claim)
    }
  }
  await during(asked.connector, 'calls', () => checkOnePerson(calls, claims))
  return { claims, unread }
}

async function ask(call: Call, claims: Claims, { accessToken, fetch }: Asked): Promise<Claims> {
  const response = await fetch(fillUrl(call.url, claims).href, {
    method: 'GET',
    // A redirect would carry the token to whoever it names.
    redirect: 'manual',
    headers: { accept: 'application/json', authorization: `Bearer ${accessToken}` },
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    const { status } = response
    throw new Fault('nonsense', `answered HTTP ${status}`, { status })
  }
  return readObject(response)
}

/** By which they name a person, where they do. */
const names = ['sub', 'uuid']

/** Answers mixed up between two people at once, by a cache for one, must not become one person. */
function checkOnePerson(calls: Call[], claims: Claims) {
  for (const name of names) {
    const said = calls
      .filter(({ url }) => !isTemplate(url))
      .map(({ claim }) => (claims[claim] as Claims | undefined)?.[name])
      .flatMap((value) => asWritten(value) ?? [])
    if (new Set(said).size > 1) throw new Fault('forged', `two calls have another ${name}`)
  }
}
