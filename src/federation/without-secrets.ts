/** What of an upstream's claims may be kept. */
import { nationalId } from '#lib/taiwan-numbers.ts'
import type { Claims } from './profile.ts'

/** Say something of one sign-in, nothing of the person. */
const protocol = new Set(
  'iss aud azp exp iat nbf jti nonce at_hash c_hash s_hash sid auth_time acr amr'.split(' '),
)

/**
 * Also as `hashGuid`, `person/guid` or `tcguid`: the county guid is an unsalted SHA-256 of the national id number.
 * Counties whose OpenID 2.0 has no attribute for it send it as the postcode.
 */
const personal =
  /(?:guid|personid|personalid|idno|idnumber|idcard|nationalid|sregpostcode|postalcodehome|dob|birthdate|birthday)$/
/** What looks like that guid, whatever its name: in the middle of a text, too. */
const hash = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi
/** What may be the number itself, with whose check digit it is told from an account. */
const number = /(?<![a-z0-9])[a-z][a-d1289]\d{8}(?![a-z0-9])/gi
const tokens = /(?:token|password|secret)$/
/** Names that would reach an object's prototype in careless hands. */
const reserved = new Set(['__proto__', 'constructor', 'prototype'])

const deepest = 8
const most = 100
const longest = 1000

/** A copy of the claims without protocol claims, tokens and personal numbers, cut to a sane size. */
export function withoutSecrets(claims: Claims): Claims {
  const kept = Object.entries(claims).filter(([name]) => !protocol.has(name))
  return keep(Object.fromEntries(kept), 0) as Claims
}

function keep(value: unknown, depth: number): unknown {
  if (typeof value === 'string')
    return value
      .replace(hash, '(hash)')
      .replace(number, (found) => (nationalId(found) ? '(number)' : found))
      .slice(0, longest)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) return undefined
  if (Array.isArray(value)) return value.slice(0, most).map((item) => keep(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isSecret(name))
      .slice(0, most)
      .map(([name, inner]) => [name, keep(inner, depth + 1)]),
  )
}

function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return reserved.has(name) || personal.test(plain) || tokens.test(plain)
}
