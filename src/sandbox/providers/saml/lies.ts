/** The school's answer in each of its modes: one that is right, or wrong in the one way its switch says. */
import type { Certificate } from '../../certificates.ts'
import { type Mode, ruleOf } from '../../modes.ts'
import { assertionXml, responseXml, type Said } from './answers.ts'
import { encryptFor, signRoot } from './sealed-xml.ts'

export type Keys = {
  school: Certificate
  /** PEM, whom it is encrypted for. */
  citygate: string
}

const elsewhere = 'https://someone-else.example/saml'

const lies: Partial<Record<Mode, Partial<Said>>> = {
  'wrong-issuer': { issuer: elsewhere },
  'wrong-audience': { audience: elsewhere },
  'wrong-recipient': { recipient: elsewhere },
}

export async function answerIn(
  mode: Mode,
  truth: Said,
  { school, citygate }: Keys,
): Promise<string> {
  const said = { ...truth, ...lies[mode] }
  const signed = async (xml: string) => (mode === 'unsigned' ? xml : signRoot(xml, school))
  const assertion = await encryptFor(citygate, await signed(assertionXml(said)))
  const response = await signed(responseXml(said, ['Success'], assertion))
  return ruleOf(mode).breaksSignature ? breakSignature(response) : response
}

/** Turns the first letters of the signature round; its length and alphabet stay right. */
const breakSignature = (xml: string) =>
  xml.replace(/(<ds:SignatureValue>)(.{8})/, (_, tag: string, first: string) => {
    return tag + [...first].reverse().join('')
  })
