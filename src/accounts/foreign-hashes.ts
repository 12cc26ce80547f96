/**
 * Hashes of passwords that were made elsewhere: which we take over, and up to which cost. A hash is verified with the
 * parameters that stand in it, so that whoever writes one says what a sign-in costs us.
 */

export type ForeignHash =
  | { kind: 'good'; algorithm: 'argon2' | 'bcrypt' | 'pbkdf2'; secret: string }
  | {
      kind: 'refused'
      /** `weak`: a fast hash, which whoever stole the file has opened already. */
      because: 'weak' | 'unknown' | 'broken' | 'costly'
    }

/** What one verification may cost: a second or so, once for each person, and 128 MiB. */
const bounds = {
  /** KiB, passes, lanes, and KiB × passes. */
  argon2: { memory: 131_072, passes: 16, lanes: 8, work: 1_048_576 },
  bcrypt: { least: 4, most: 12 },
  pbkdf2: { least: 1_000, most: 2_000_000 },
} as const

type Reader = [looks: RegExp, read: (parts: string[]) => ForeignHash]

const refused = (because: 'weak' | 'unknown' | 'broken' | 'costly'): ForeignHash => ({
  kind: 'refused',
  because,
})

/** Looks like it, and then is it. The first that looks like it decides. */
const readers: Reader[] = [
  [/^\$argon2/, readArgon2],
  [/^\$2[abyx]\$/, readBcrypt],
  [/^\$pbkdf2-sha(?:256|512)\$/, readPbkdf2],
  [/^pbkdf2_sha(?:256|512)\$/, readDjango],
  [/^\{(?:SSHA|SHA|SMD5|MD5|CRYPT|CLEARTEXT|PLAIN)[^}]*\}/i, () => refused('weak')],
  [/^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|\*[0-9A-F]{40})$/i, () => refused('weak')],
  [/^\$(?:1|apr1|P|H|S)\$/, () => refused('weak')],
]

/** Much longer than any hash with its parameters. */
const longest = 400

/** A hash as another system wrote it, in the form it is kept in here. */
export function readForeignHash(text: string): ForeignHash {
  if (text.length > longest || !/^[\x21-\x7e]+$/.test(text)) return refused('unknown')
  const reader = readers.find(([looks]) => looks.test(text))
  return reader ? reader[1](text.split('$')) : refused('unknown')
}

function readArgon2(parts: string[]): ForeignHash {
  const [, type = '', version = '', parameters = '', salt = '', hash = '', ...more] = parts
  const [, m, t, p] = /^m=(\d{1,7}),t=(\d{1,5}),p=(\d{1,3})$/.exec(parameters) ?? []
  const [memory, passes, lanes] = [Number(m), Number(t), Number(p)]
  const whole = /^argon2(?:id|i|d)$/.test(type) && version === 'v=19' && more.length === 0
  if (!whole || m === undefined || !passes || !lanes || memory < 8 * lanes) return refused('broken')
  const lengths = [bytesIn(salt), bytesIn(hash)]
  if (!isWithin(lengths[0], 8, 64) || !isWithin(lengths[1], 16, 64)) return refused('broken')
  const { argon2: most } = bounds
  const tooMuch =
    memory > most.memory ||
    passes > most.passes ||
    lanes > most.lanes ||
    memory * passes > most.work
  return tooMuch ? refused('costly') : good('argon2', parts.join('$'))
}

function readBcrypt(parts: string[]): ForeignHash {
  const [, version, cost = '', body = '', ...more] = parts
  // `$2x$` marks hashes of a bug that let many passwords open one account.
  if (version === '2x') return refused('weak')
  if (!/^\d\d$/.test(cost) || !/^[./A-Za-z0-9]{53}$/.test(body) || more.length > 0)
    return refused('broken')
  if (Number(cost) > bounds.bcrypt.most) return refused('costly')
  return Number(cost) < bounds.bcrypt.least ? refused('broken') : good('bcrypt', parts.join('$'))
}

/** The PHC form, `$pbkdf2-sha256$i=600000,l=32$salt$hash`, and passlib's, which has the number alone and a dot for a plus. */
function readPbkdf2(parts: string[]): ForeignHash {
  const [, type = '', cost = '', salt = '', hash = '', ...more] = parts
  const [, iterations] = /^(?:i=)?(\d{1,9})(?:,l=\d{1,3})?$/.exec(cost) ?? []
  if (iterations === undefined || more.length > 0) return refused('broken')
  const [saltBytes, hashBytes] = [salt, hash].map((one) => bytesOf(one.replaceAll('.', '+')))
  return pbkdf2(type.slice('pbkdf2-'.length), Number(iterations), saltBytes, hashBytes)
}

/** Django's: the salt is the letters themselves. */
function readDjango([type = '', cost = '', salt = '', hash = '', ...more]: string[]): ForeignHash {
  if (!/^\d{1,9}$/.test(cost) || more.length > 0) return refused('broken')
  return pbkdf2(type.slice('pbkdf2_'.length), Number(cost), Buffer.from(salt), bytesOf(hash))
}

function pbkdf2(digest: string, iterations: number, salt?: Buffer, hash?: Buffer): ForeignHash {
  if (!isWithin(salt?.length, 8, 64) || !isWithin(hash?.length, 16, 64)) return refused('broken')
  if (iterations > bounds.pbkdf2.most) return refused('costly')
  if (iterations < bounds.pbkdf2.least) return refused('weak')
  const [kept, made] = [salt, hash].map((one) => one?.toString('base64').replace(/=+$/, ''))
  return good('pbkdf2', `$pbkdf2-${digest}$i=${iterations}$${kept}$${made}`)
}

const good = (algorithm: (ForeignHash & { kind: 'good' })['algorithm'], secret: string) => ({
  kind: 'good' as const,
  algorithm,
  secret,
})

const isWithin = (length: number | undefined, least: number, most: number) =>
  length !== undefined && length >= least && length <= most

function bytesOf(base64: string): Buffer | undefined {
  const bare = base64.replace(/=+$/, '')
  return /^[A-Za-z0-9+/]+$/.test(bare) && bare.length % 4 !== 1
    ? Buffer.from(bare, 'base64')
    : undefined
}

const bytesIn = (base64: string): number | undefined => bytesOf(base64)?.length
