/**
 * Work a browser does before a form is taken (ALTCHA v2): no picture to read, no third party, and a price for whoever
 * sends thousands. Nothing is kept here: a challenge comes back signed. That it is used once is for the caller to hold.
 */
import { randomInt } from 'node:crypto'
import { type Challenge, createChallenge, type Payload, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { hmac, sha256 } from './crypto.ts'
import { type Now, seconds } from './time.ts'

export type { Challenge }

export type Proof = {
  /** Of the challenge: the same whenever the same work is shown again. */
  id: string
  /** Seconds since 1970. */
  expiresAt: number
}

export type Verified = ({ kind: 'right' } & Proof) | { kind: 'wrong' | 'expired' }

export type ProofOfWork = {
  /** For one purpose, named by `data`: this application, this form. The browser sees a hash of it. */
  challenge(data: string): Promise<Challenge>
  /** Right for as many callers as ask: spend it (accounts/proofs.ts) before anything is done for it. */
  verify(payload: string, data: string): Promise<Verified>
}

export type ProofOfWorkPorts = { key: Buffer; now: Now }

/** A form may be filled in slowly. */
const lasts = 3600

// A telephone does this in a third to two thirds of a second; how long it takes is drawn anew each time.
const algorithm = 'PBKDF2/SHA-256'
const cost = 5000
const counters: [least: number, below: number] = [400, 800]

/** What a widget sends has six hundred. */
const longest = 2000

export function openProofOfWork({ key, now }: ProofOfWorkPorts): ProofOfWork {
  // Two keys: one signs the challenge, the other what solves it, so that verifying takes no work of ours.
  const secrets = {
    hmacSignatureSecret: hmac(key, 'challenge'),
    hmacKeySignatureSecret: hmac(key, 'solution'),
  }

  return {
    challenge: (data) =>
      createChallenge({
        ...secrets,
        algorithm,
        cost,
        deriveKey,
        counter: randomInt(...counters),
        // Not ALTCHA's own expiresAt: browsers would hold it against their clocks, and school computers' are wrong.
        data: { for: sha256(data), until: seconds(now) + lasts },
      }),

    async verify(payload, data) {
      const sent = read(payload)
      if (!sent) return { kind: 'wrong' }
      const { verified } = await verifySolution({ ...secrets, ...sent, deriveKey }).catch(() => ({
        verified: false,
      }))
      const { for: purpose, until } = sent.challenge.parameters.data ?? {}
      if (!verified || purpose !== sha256(data)) return { kind: 'wrong' }
      const expiresAt = Number(until)
      if (expiresAt <= seconds(now)) return { kind: 'expired' }
      return { kind: 'right', id: sent.challenge.signature, expiresAt }
    },
  }
}

type Sent = Payload & { challenge: { signature: string } }

/** The shape only; what is in it is signed. */
function read(payload: string): Sent | undefined {
  if (payload.length > longest) return undefined
  try {
    const sent = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))
    return isSent(sent) ? sent : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isSent = (value: unknown): value is Sent =>
  isObject(value) &&
  isObject(value.solution) &&
  isObject(value.challenge) &&
  isObject(value.challenge.parameters) &&
  typeof value.challenge.signature === 'string'
