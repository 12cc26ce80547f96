/** Gives mails their words: one page for eyes and one text for everything else, from the same messages. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import type { Letter, WriteLetter } from '#lib/letter.ts'
import { fillIn, type MessageParams, type Messages } from '#lib/messages.ts'
import { clip, closeUp } from '#lib/prose.ts'

type LetterParts = {
  viewsDir: string
  messages: Messages
  site: { title: Record<string, string> }
  /** Every link begins with it. */
  issuer: string
}

type Words = {
  language: string
  site: string
  subject: string
  greeting: string
  what: string[]
  code: string | undefined
  link: string | undefined
  button: string | undefined
  orCopy: string
  after: string[]
  footer: string[]
}

/** Compiles the page. One that does not compile stops the boot. */
export function openLetters({ viewsDir, messages, site, issuer }: LetterParts): WriteLetter {
  const filename = join(viewsDir, 'mail', 'letter.ejs')
  const page = ejs.compile(readFileSync(filename, 'utf8'), {
    filename,
    strict: true,
    localsName: 'data',
  })
  const host = new URL(issuer).host

  return (letter) => {
    const { kind, to, language } = letter
    const { code, link } = { code: undefined, link: undefined, ...letter }
    // A mail that leads elsewhere would be a bug of ours, and looks like a mail that is not from us.
    if (link && URL.parse(link)?.origin !== issuer)
      throw new Error(`a mail links to ${issuer} only`)
    const title = site.title[language] ?? Object.values(site.title)[0] ?? ''
    const params = { ...shape(letter), site: title, host }
    const say = (key: string, more: MessageParams = params) =>
      fillIn(closeUp(language, messages.template(language, key), more), more)
    const greet = (name = '') =>
      name ? say('mail.greeting', { name: harmless(name) }) : say('mail.greeting-nobody')
    /** Each line of a message is a paragraph. */
    const paragraphs = (key: string) =>
      say(key)
        .split('\n')
        .filter((line) => line.trim())
    const subject = clip(say(`mail.${kind}.subject`), 150)
    const words: Words = {
      language,
      site: title,
      subject,
      greeting: greet(letter.name),
      what: paragraphs(`mail.${kind}.what`),
      code,
      link,
      button: link && say(`mail.${kind}.button`),
      orCopy: say('mail.or-copy'),
      after: paragraphs(`mail.${kind}.after`),
      footer: [say('mail.footer.sender'), say('mail.footer.password')],
    }
    const html = page(Object.assign(Object.create(null), words))
    return { to, subject, text: asText(words), html }
  }
}

function asText({ greeting, what, code, button, link, after, footer }: Words): string {
  const parts = [
    greeting,
    ...what,
    ...(code ? [`    ${code}`] : []),
    // On a line of its own, with nothing after it that a client could take for a part of it.
    ...(link ? [`${button}\n${link}`] : []),
    ...after,
    // What follows this line is a signature (RFC 3676 §4.3).
    `-- \n${footer.join('\n')}`,
  ]
  return `${parts.join('\n\n')}\n`
}

const units = { day: 86_400, hour: 3_600, minute: 60 } as const

/** 600 is `10 分鐘`, 3600 `1 hour`, 259200 `3 days`; what is no whole number of an hour is told in minutes. */
function duration(language: string, seconds: number): string {
  const whole = ([unit, length]: [string, number]) => unit === 'minute' || seconds % length === 0
  const [unit, length] = Object.entries(units).find(whole) ?? ['minute', units.minute]
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 0,
  }).format(seconds / length)
}

/** Longest mail address (RFC 5321 §4.5.3.1.3). */
const longestAddress = 254

/** Parameters as text that is safe in a subject, a text and a page. */
function shape(letter: Letter): MessageParams {
  const given: Partial<Record<string, string | number>> = 'params' in letter ? letter.params : {}
  const { lasts, name, address, ...others } = given
  const clipped = Object.entries(others).map(([key, value]) => [key, clip(value, longestAddress)])
  return {
    ...Object.fromEntries(clipped),
    ...(lasts === undefined ? {} : { lasts: duration(letter.language, Number(lasts)) }),
    ...(name === undefined ? {} : { name: harmless(String(name)) }),
    ...(address === undefined ? {} : { address: shortened(String(address)) }),
  }
}

/** Whoever joins chooses her name, and mail programs make links of what looks like an address. */
const harmless = (name: string): string =>
  clip(name.replaceAll(/[/\\:@]+/g, ' ').replaceAll(/[.。．｡](?=\S)/g, '. '))

/** `w…@example.com`: its owner knows it, whoever has the old mailbox by now does not learn it. */
function shortened(address: string): string {
  const at = address.lastIndexOf('@')
  return clip(`${address.slice(0, 1)}…${address.slice(at)}`, longestAddress)
}
