/** The same UUID for the same words, on every machine: what a pretend upstream never gives to somebody else. */
import { sha256 } from '#lib/crypto.ts'

export function stableUuid(words: string): string {
  const hex = Buffer.from(sha256(words), 'base64url').toString('hex')
  // Version 8: made as its maker likes (RFC 9562 §5.8).
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5')
}
