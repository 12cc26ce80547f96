/** Messages in an address (SAML Bindings 2.0 §3.4): deflated, and signed beside themselves. */
import { type KeyObject, sign, verify } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Fault } from '../../calls/fault.ts'
import { rsaSha256, signatures } from './algorithms.ts'
import { UnknownSignature } from './verify.ts'
import { utf8 } from './xml.ts'

export type MessageKind = 'SAMLRequest' | 'SAMLResponse'

export type Leaving = {
  kind: MessageKind
  xml: string
  relayState?: string
}

/** An upstream may forget what is longer (§3.4.3). */
const longestRelayState = 80
const longestXml = 64 * 1024

/** What is signed is what stands in the address, letter by letter. */
export function redirectTo(
  endpoint: string,
  { kind, xml, relayState }: Leaving,
  key: KeyObject,
): string {
  const signed = [
    [kind, deflateRawSync(xml).toString('base64')],
    ...(relayState === undefined ? [] : [['RelayState', relayState]]),
    ['SigAlg', rsaSha256],
  ]
    .map(([name = '', value = '']) => `${name}=${encode(value)}`)
    .join('&')
  const signature = sign('sha256', Buffer.from(signed), key).toString('base64')
  const and = endpoint.includes('?') ? '&' : '?'
  return `${endpoint}${and}${signed}&Signature=${encode(signature)}`
}

/** Browsers write some of what encodeURIComponent leaves otherwise, and then it is not what was signed. */
const encode = (value: string): string =>
  encodeURIComponent(value).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** Ours, which must come back whole. */
export function ownRelayState(state: string): string {
  if (Buffer.byteLength(state) > longestRelayState)
    throw new Error(`a RelayState of more than ${longestRelayState} bytes may not come back`)
  return state
}

export type Arrived = { kind: MessageKind; xml: string; relayState?: string }

/** What one of the certificates' keys signed. `search` as it came: encoded anew it may be other letters. */
export function readRedirect(search: string, certificates: string[]): Arrived {
  const raw = rawParameters(search)
  const kind = raw.has('SAMLRequest') ? 'SAMLRequest' : 'SAMLResponse'
  if (raw.has('SAMLRequest') && raw.has('SAMLResponse'))
    throw new Fault('forged', 'it is a request and a response')
  const value = (name: string) => decodeParameter(raw.get(name))
  const signature = value('Signature')
  const hash = signatures.get(value('SigAlg') ?? '')
  if (signature === undefined) throw new Fault('forged', 'it is not signed')
  if (hash === undefined) throw new Fault('forged', 'its SigAlg is none that counts')
  const signed = Buffer.from(
    [kind, 'RelayState', 'SigAlg']
      .flatMap((name) => (raw.has(name) ? [`${name}=${raw.get(name)}`] : []))
      .join('&'),
  )
  const bytes = Buffer.from(signature, 'base64')
  if (!certificates.some((one) => verify(hash, signed, one, bytes))) throw new UnknownSignature()
  const relayState = value('RelayState')
  return {
    kind,
    xml: inflate(value(kind) ?? ''),
    ...(relayState === undefined ? {} : { relayState }),
  }
}

const known = ['SAMLRequest', 'SAMLResponse', 'RelayState', 'SigAlg', 'Signature']

function rawParameters(search: string): Map<string, string> {
  const raw = new Map<string, string>()
  for (const pair of search.replace(/^\?/, '').split('&')) {
    const at = pair.indexOf('=')
    const name = at < 0 ? pair : pair.slice(0, at)
    if (raw.has(name)) throw new Fault('forged', 'a parameter came twice')
    if (known.includes(name)) raw.set(name, pair.slice(name.length + 1))
  }
  return raw
}

function decodeParameter(raw: string | undefined): string | undefined {
  if (raw === undefined) return undefined
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    throw new Fault('nonsense', 'a parameter is not encoded as addresses are')
  }
}

function inflate(encoded: string): string {
  const deflated = Buffer.from(encoded, 'base64')
  let bytes: Buffer
  try {
    bytes = inflateRawSync(deflated, { maxOutputLength: longestXml })
  } catch {
    throw new Fault('nonsense', 'it cannot be inflated, or is longer than 64 KB')
  }
  return utf8(bytes)
}
