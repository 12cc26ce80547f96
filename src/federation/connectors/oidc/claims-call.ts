/** One further call with the access token: the Ministry's eduinfo. */
import { type Configuration, fetchProtectedResource } from 'openid-client'
import { Fault } from '../../calls/fault.ts'
import { readObject } from '../../calls/json-object.ts'
import type { Claims } from '../../profile.ts'

/** The JSON object it answers, which must not be another person's. */
export async function callForClaims(
  client: Configuration,
  accessToken: string,
  url: string,
  subject: string,
): Promise<Claims> {
  const headers = new Headers({ accept: 'application/json' })
  const response = await fetchProtectedResource(
    client,
    accessToken,
    new URL(url),
    'GET',
    null,
    headers,
  )
  if (response.status !== 200) throw new Fault('nonsense', `answered HTTP ${response.status}`)
  const claims = await readObject(response)
  const sub = claims.sub ?? subject
  if (sub !== subject) throw new Fault('forged', 'sub is not the ID token’s')
  return claims
}
