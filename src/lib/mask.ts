/** Addresses as they may stand on a screen somebody else can see. */
import { clip } from './prose.ts'

/** `w•••@mail.edu.tw`: its owner knows it, nobody else learns it. */
export function maskMail(address: string): string {
  const at = address.lastIndexOf('@')
  const [first = ''] = address.slice(0, Math.max(at, 0))
  return clip(`${first}•••${at < 0 ? '' : address.slice(at)}`, 254)
}

/** `王•明`, `w•••@mail.edu.tw`, `t•••`: who knows the whole knows it again. */
export function maskName(name: string): string {
  if (name.includes('@')) return maskMail(name)
  const letters = [...name]
  const [first = ''] = letters
  const short = letters.length > 2 && letters.length < 5 && /\p{Script=Han}/u.test(name)
  return short ? `${first}•${letters.at(-1)}` : `${first}•••`
}

/** `•••••678`: enough to know one's own number by. */
export const maskNumber = (number: string): string =>
  `•••••${number.length > 6 ? number.slice(-3) : ''}`

/** `m•••.edu.tw`, `g•••.com`: which big one it is can be told, whose small one cannot. */
export function maskHost(host: string): string {
  const labels = host.split('.')
  const [first = ''] = host
  return clip([`${first}•••`, ...labels.slice(labels.length > 2 ? -2 : -1)].join('.'), 254)
}
