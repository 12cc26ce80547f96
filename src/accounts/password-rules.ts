/**
 * What a new password must be: long rather than colourful, and not one of those that are tried first (NIST SP 800-63B
 * §3.1.1.2, OWASP ASVS 5.0 §6.2).
 */
import type { Message, MessageParams } from '#lib/messages.ts'
import { once } from '#lib/once.ts'
import { commonHere } from './common-passwords.ts'

export const shortest = 10
export const longest = 128

/** What zxcvbn calls 2: more than a million guesses. */
const leastScore = 2

/** Its work grows with the square of the length; who is safe after so many characters stays so. */
const judged = 64

/**
 * What is wrong with a password, or nothing. `about` is what others know of her: account, name, school. None of them may
 * stand in the password as it is, nor what an account has before its @.
 */
export type PasswordRules = (password: string, about: string[]) => Promise<Message | undefined>

/** The dictionaries, 8 MB of heap, are read when the first password is judged. */
export function openPasswordRules(): PasswordRules {
  const open = once(async () => {
    const [{ ZxcvbnFactory }, { dictionary: everywhere, adjacencyGraphs }] = await Promise.all([
      import('@zxcvbn-ts/core'),
      import('@zxcvbn-ts/language-common'),
    ])
    const dictionary = { ...everywhere, 'common-here': commonHere }
    const options = { dictionary, graphs: adjacencyGraphs, maxLength: judged }
    const zxcvbn = new ZxcvbnFactory(options)
    return { zxcvbn, common: [...commonHere, ...everywhere['passwords-common']] }
  })

  return async (typed, about) => {
    const password = typed.normalize('NFC')
    const length = [...password].length
    if (length < shortest) return limited('password.too-short', { min: shortest })
    if (length > longest) return limited('password.too-long', { max: longest })
    if (/\p{Cc}/u.test(password)) return 'password.control'
    const known = about.slice(0, most).map((one) => fold(one.slice(0, most * 10)).trim())
    const folded = fold(password)
    const tells = (name: string) => Buffer.byteLength(name) >= telling && folded.includes(name)
    if (known.some((one) => tells(one) || tells(one.split('@')[0] ?? ''))) {
      return 'password.about-you'
    }
    const { common, zxcvbn } = await open()
    if (common.includes(folded)) return 'password.common'
    const { score, sequence } = zxcvbn.check(password, known.flatMap(wordsOf))
    if (score >= leastScore) return undefined
    const fromHer = sequence.some(({ dictionaryName }) => dictionaryName === 'userInputs')
    return fromHer ? 'password.about-you' : 'password.weak'
  }
}

const limited = (key: string, params: MessageParams): Message => ({ key, params })

const fold = (text: string) => text.normalize('NFKC').toLowerCase()

/** In bytes: two Chinese characters tell whose it is, three letters occur in words of all kinds. */
const telling = 4

/** What is judged against is typed by people too: no more than so many pieces, each no longer than ten times that. */
const most = 20

const wordsOf = (one: string): string[] =>
  [one, ...one.split(/[\s@._-]+/)].filter((word) => word.length > 1)
