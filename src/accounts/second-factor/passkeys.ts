/** Passkeys (WebAuthn): a key in her telephone or computer that signs for us alone, once she has shown that it is she. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { once } from '#lib/once.ts'
import type { FactorRow } from '#store/store.ts'
import { type Challenged, makeChallenge, readChallenge } from './challenge.ts'

export type PasskeyPorts = {
  dataKey: Buffer
  /** Whose passkeys they are: they work on no other host. */
  issuer: string
  /** Shown by the browser. */
  title: string
}

/** EdDSA, ES256, RS256: what every runtime of ours can verify. Without saying so, newer ones would offer ML-DSA, too. */
const algorithms = [-8, -7, -257]

const timeout = 5 * 60 * 1000

// Half a megabyte of parsers, for pages few people see.
const open = once(() => import('@simplewebauthn/server'))
const openHelpers = once(() => import('@simplewebauthn/server/helpers'))

const hostOf = ({ issuer }: Pick<PasskeyPorts, 'issuer'>) => new URL(issuer).hostname

/** What belongs to a passkey beside its id. */
type Kept = {
  publicKey: string
  transports: string[]
  /** It is synchronised between her devices. */
  synced: boolean
}

const keptOf = ({ secret }: Pick<FactorRow, 'secret'>): Kept => JSON.parse(secret)

const named = (factors: FactorRow[]) =>
  factors.flatMap((one) =>
    one.credentialId ? [{ id: one.credentialId, transports: keptOf(one).transports }] : [],
  )

type Whom = Omit<Challenged, 'purpose'>

/** What the browser is asked for to make one, as JSON. She has those of `factors` already. */
export async function askNewPasskey(
  whom: Whom & { name: string; factors: FactorRow[] },
  at: number,
  ports: PasskeyPorts,
): Promise<string> {
  const { generateRegistrationOptions } = await open()
  const { accountId, device, name, factors } = whom
  const challenged = { purpose: 'add', accountId, device } as const
  const options = await generateRegistrationOptions({
    rpName: ports.title,
    rpID: hostOf(ports),
    userName: name,
    userDisplayName: name,
    userID: new TextEncoder().encode(accountId),
    challenge: makeChallenge(ports.dataKey, challenged, at),
    timeout,
    attestationType: 'none',
    excludeCredentials: named(factors),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  })
  return JSON.stringify(options)
}

/** What the browser is asked for to use one of hers, as JSON; undefined where she has none. */
export async function askPasskey(
  { accountId, device, factors }: Whom & { factors: FactorRow[] },
  at: number,
  ports: PasskeyPorts,
): Promise<string | undefined> {
  const allowCredentials = named(factors)
  if (allowCredentials.length === 0) return undefined
  const { generateAuthenticationOptions } = await open()
  const options = await generateAuthenticationOptions({
    rpID: hostOf(ports),
    challenge: makeChallenge(ports.dataKey, { purpose: 'prove', accountId, device }, at),
    timeout,
    allowCredentials,
    userVerification: 'required',
  })
  return JSON.stringify(options)
}

/** What was signed: to be used up before it counts. */
export type Signed = { id: string; expiresAt: number }

export type NewPasskey = Pick<FactorRow, 'type' | 'secret' | 'counter'> & { credentialId: string }

/** Reads what the browser says of a passkey it made. */
export async function readNewPasskey(
  whom: Whom,
  text: string,
  at: number,
  ports: PasskeyPorts,
): Promise<{ passkey: NewPasskey; synced: boolean; signed: Signed } | { refused: string }> {
  const response = parse<RegistrationResponseJSON>(text)
  if (!response) return { refused: 'no credential' }
  let signed: Signed | undefined
  try {
    await checkUnattested(response)
    const { verifyRegistrationResponse } = await open()
    const { registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge(challenge) {
        signed = readChallenge(ports.dataKey, { ...whom, purpose: 'add' }, challenge, at)
        return signed !== undefined
      },
      expectedOrigin: ports.issuer,
      expectedRPID: hostOf(ports),
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    })
    if (!registrationInfo || !signed) return { refused: 'not verified' }
    const { credential, credentialDeviceType } = registrationInfo
    // Longer ones are none (WebAuthn §4, Credential ID), and would not fit.
    if (credential.id.length > 1400) return { refused: 'credential id too long' }
    const kept: Kept = {
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      transports: (credential.transports ?? [])
        .filter((one) => typeof one === 'string')
        .slice(0, 8),
      synced: credentialDeviceType === 'multiDevice',
    }
    const { id: credentialId, counter } = credential
    const passkey = {
      type: 'passkey',
      credentialId,
      counter,
      secret: JSON.stringify(kept),
    } as const
    return { passkey, synced: kept.synced, signed }
  } catch (error) {
    return { refused: reasonOf(error) }
  }
}

/**
 * We ask for no attestation and believe none. One that comes all the same is not looked at: to verify it, the library
 * would fetch what its certificates name.
 */
async function checkUnattested({ response }: RegistrationResponseJSON) {
  const { decodeAttestationObject, isoBase64URL } = await openHelpers()
  const object = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject))
  const format = object.get('fmt')
  const isOwn = format === 'packed' && object.get('attStmt').get('x5c') === undefined
  if (format !== 'none' && !isOwn) throw new Error(`attestation of format ${format}`)
}

export type UsedPasskey = { factor: FactorRow; counter: number; synced: boolean; signed: Signed }

/** Reads what the browser says a passkey of hers signed. */
export async function readPasskey(
  whom: Whom & { factors: FactorRow[] },
  text: string,
  at: number,
  ports: PasskeyPorts,
): Promise<UsedPasskey | { refused: string }> {
  const response = parse<AuthenticationResponseJSON>(text)
  const factor = whom.factors.find(
    ({ type, credentialId }) => type === 'passkey' && credentialId === response?.id,
  )
  if (!response || !factor?.credentialId) return { refused: 'no passkey of hers' }
  const { publicKey, synced } = keptOf(factor)
  const { accountId, device } = whom
  let signed: Signed | undefined
  try {
    const { verifyAuthenticationResponse } = await open()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge(challenge) {
        const challenged = { purpose: 'prove', accountId, device } as const
        signed = readChallenge(ports.dataKey, challenged, challenge, at)
        return signed !== undefined
      },
      expectedOrigin: ports.issuer,
      expectedRPID: hostOf(ports),
      requireUserVerification: true,
      credential: {
        id: factor.credentialId,
        publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')),
        counter: factor.counter,
      },
    })
    if (!verified || !signed) return { refused: 'not verified' }
    return { factor, counter: authenticationInfo.newCounter, synced, signed }
  } catch (error) {
    return { refused: reasonOf(error) }
  }
}

function parse<T>(text: string): T | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** For the log. What the browser sent stands in some of them. */
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split(/["“]/)[0]?.slice(0, 100).trim() ??
  ''
