/** An answer that has to be a JSON object. */
import type { Claims } from '../profile.ts'
import { Fault } from './fault.ts'

export async function readObject(response: Response): Promise<Claims> {
  // Without the cause: the parser's message quotes what it could not parse.
  const json: unknown = await response.json().catch(() => undefined)
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Fault('nonsense', 'is not a JSON object')
  return json as Claims
}
