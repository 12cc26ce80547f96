/** Single logout as the upstream speaks of it (SAML Profiles 2.0 §4.4), in an address or as a form. */
import { Fault } from '../../calls/fault.ts'
import { checkWindow, forgottenAt } from './instants.ts'
import { nameIdIn } from './name-id.ts'
import { type MessageKind, readRedirect } from './redirect.ts'
import { checkEnvelope, checkStatus, type ExpectedMessage } from './response.ts'
import { checkSignatureShape } from './signature-shape.ts'
import { type Verifying, verifyLogout } from './verify.ts'
import { attribute, children, decode, descendants, isNamed, parseXml, textOf } from './xml.ts'

export type LogoutMessage =
  | {
      kind: 'request'
      id: string
      relayState?: string
      name?: string
      /** None: all of hers. */
      sessions: string[]
      /** Seconds since 1970 until which it must not come again. */
      until: number
    }
  | { kind: 'response'; inResponseTo: string | undefined; relayState?: string }

/** A message its signature holds for, sent to us just now. */
export async function readLogout(
  { url, form }: { url: URL; form?: URLSearchParams },
  expected: ExpectedMessage,
  verifying: Verifying,
): Promise<LogoutMessage> {
  const { root, kind, relayState } = form
    ? await fromForm(form, verifying)
    : await fromAddress(url, verifying)
  checkEnvelope(root, expected)
  const state = relayState === undefined ? {} : { relayState }
  if (kind === 'SAMLResponse') {
    checkStatus(root)
    return { kind: 'response', inResponseTo: attribute(root, 'InResponseTo'), ...state }
  }
  checkWindow(root, expected.clock)
  const id = attribute(root, 'ID')
  if (!id) throw new Fault('nonsense', 'it has no ID')
  const sessions = children(root, 'protocol', 'SessionIndex').map(textOf).filter(Boolean)
  const name = nameIdIn(root)?.value
  const until = forgottenAt(expected.clock)
  return { kind: 'request', id, sessions, until, ...state, ...(name ? { name } : {}) }
}

const names: Record<MessageKind, string> = {
  SAMLRequest: 'LogoutRequest',
  SAMLResponse: 'LogoutResponse',
}

async function parse(kind: MessageKind, xml: string): Promise<Element> {
  const root = await parseXml(xml, 'logout')
  if (!isNamed(root, 'protocol', names[kind]))
    throw new Fault('nonsense', `it is no ${names[kind]}`)
  return root
}

async function fromAddress(url: URL, { certificates }: Verifying) {
  const { xml, ...arrived } = readRedirect(url.search, certificates)
  return { ...arrived, root: await parse(arrived.kind, xml) }
}

async function fromForm(form: URLSearchParams, verifying: Verifying) {
  const kind = form.has('SAMLRequest') ? 'SAMLRequest' : 'SAMLResponse'
  const encoded = oneOf(form, kind)
  if (encoded === undefined || (form.has('SAMLRequest') && form.has('SAMLResponse')))
    throw new Fault('nonsense', 'it is neither a request nor a response')
  const root = await parse(kind, decode(encoded))
  checkSignatureShape(root)
  if (descendants(root, 'signature', 'Signature').length !== 1)
    throw new Fault('forged', 'it holds signatures of something else')
  await verifyLogout(kind, encoded, verifying)
  const relayState = oneOf(form, 'RelayState')
  return { root, kind, ...(relayState === undefined ? {} : { relayState }) } as const
}

export function oneOf(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name)
  if (values.length > 1) throw new Fault('forged', `${name} came twice`)
  return values[0]
}
