/** Does the work a browser would do (lib/proof-of-work.ts), for those who come without one: commands and tests. */
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import type { Challenge } from './proof-of-work.ts'

/** What is sent with the form. It takes a second. */
export async function solve(challenge: Challenge): Promise<string> {
  const solution = await solveChallenge({ challenge, deriveKey })
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64')
}
