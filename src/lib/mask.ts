/** Addresses as they may stand on a screen somebody else can see. */
import { clip } from './prose.ts'

/** `w•••@mail.edu.tw`: its owner knows it, nobody else learns it. */
export function maskMail(address: string): string {
  const at = address.lastIndexOf('@')
  const [first = ''] = address.slice(0, Math.max(at, 0))
  return clip(`${first}•••${at < 0 ? '' : address.slice(at)}`, 254)
}
