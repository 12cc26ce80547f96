/** Every word a person reads, by language and dotted key, from `views/messages/[<part>.]<language>.yaml`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAILSAFE_SCHEMA, load } from 'js-yaml'

export type MessageParams = Readonly<Record<string, string | number>>

/** A message with what goes into its braces; a bare key when nothing does. */
export type Message = string | { key: string; params?: MessageParams }

/** The words for a short wait, or a long one. */
export const afterWait = (key: string, wait: number): Message =>
  wait < 120
    ? { key: `${key}.seconds`, params: { seconds: wait } }
    : { key: `${key}.minutes`, params: { minutes: Math.ceil(wait / 60) } }

export type Messages = {
  /** Languages there is a file for, in alphabetical order. */
  languages: string[]
  keys(): string[]
  has(key: string): boolean
  /** The raw text, braces and all. Throws on an unknown key: a misspelt key is a bug, not a page. */
  template(lang: string, key: string): string
  translate(lang: string, key: string, params?: MessageParams): string
}

const PARAM = /\{([a-z][a-zA-Z0-9]*)\}/g

/** Names between braces, sorted, each once. */
export const paramsOf = (text: string) =>
  [...new Set([...text.matchAll(PARAM)].map((m) => m[1] ?? ''))].sort()

/** Puts the parameters in. `shape` turns each one into what the medium needs (escaped HTML, plain text). */
export function fillIn(
  text: string,
  params: MessageParams,
  shape: (value: string | number) => string = String,
): string {
  return text.replace(PARAM, (_, name: string) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    if (value === undefined) throw new Error(`message parameter {${name}} is missing in: ${text}`)
    return shape(value)
  })
}

function flatten(file: string, node: unknown, prefix: string, into: Map<string, string>) {
  if (typeof node === 'string') {
    into.set(prefix, node)
    return
  }
  if (node === null || typeof node !== 'object' || Array.isArray(node))
    throw new Error(`${file}: ${prefix || '(top)'} must be a text or nested keys`)
  for (const [key, value] of Object.entries(node))
    flatten(file, value, prefix ? `${prefix}.${key}` : key, into)
}

/** What one language has and another lacks, as sentences. Empty when all agree. */
function disagreements(tables: Map<string, Map<string, string>>): string[] {
  const all = new Set([...tables.values()].flatMap((table) => [...table.keys()]))
  const found: string[] = []
  for (const key of all) {
    const missing = [...tables].filter(([, table]) => !table.has(key)).map(([lang]) => lang)
    if (missing.length > 0) found.push(`${key} is missing in ${missing.join(', ')}`)
    const params = new Set(
      [...tables.values()]
        .map((table) => table.get(key))
        .filter((text) => text !== undefined)
        .map((text) => paramsOf(text).join(' ')),
    )
    if (params.size > 1) found.push(`${key} has different {params} in different languages`)
  }
  return found
}

/** Reads the message files once. Refuses files that disagree, so that no page is half translated. */
export function openMessages(dir: string): Messages {
  const tables = new Map<string, Map<string, string>>()
  for (const file of readdirSync(dir).sort()) {
    const [, lang] = /(?:^|\.)([A-Za-z-]+)\.yaml$/.exec(file) ?? []
    if (lang === undefined) continue
    const table = tables.get(lang) ?? new Map<string, string>()
    const part = new Map<string, string>()
    // Another parser than for rules: it keeps no places for complaints, and is seven times as fast at ten thousand lines.
    const text = readFileSync(join(dir, file), 'utf8')
    flatten(file, load(text, { filename: file, schema: FAILSAFE_SCHEMA }), '', part)
    for (const [key, text] of part) {
      if (table.has(key)) throw new Error(`${file}: ${key} is said in another file already`)
      table.set(key, text)
    }
    tables.set(lang, table)
  }
  if (tables.size === 0) throw new Error(`${dir} holds no message files`)
  const wrong = disagreements(tables)
  if (wrong.length > 0) throw new Error(`messages disagree:\n  ${wrong.join('\n  ')}`)

  const template = (lang: string, key: string) => {
    const text = tables.get(lang)?.get(key)
    if (text === undefined) throw new Error(`no message '${key}' in '${lang}'`)
    return text
  }
  const [first = new Map<string, string>()] = tables.values()
  return {
    languages: [...tables.keys()],
    keys: () => [...first.keys()],
    has: (key) => first.has(key),
    template,
    translate: (lang, key, params = {}) => fillIn(template(lang, key), params),
  }
}

export type LanguageHints = {
  /** `?lang=`, a click on the language switch. */
  query?: string | undefined
  /** What she chose last time. */
  cookie?: string | undefined
  /** OpenID Connect Core 3.1.2.1 `ui_locales`: space-separated, in order of preference. */
  uiLocales?: string | readonly string[] | undefined
  /** The Accept-Language header, as it came. */
  acceptLanguage?: string | undefined
}

/**
 * The nearest language we speak. Any Chinese beats English for someone who asks for Chinese
 * (RFC 4647 lookup, then the primary subtag): zh, zh-Hant, zh-HK and zh-CN all read zh-TW.
 */
function nearest(tag: string | undefined, languages: readonly string[]): string | undefined {
  if (!tag) return undefined
  const wanted = tag.trim().toLowerCase()
  const primary = wanted.split('-')[0]
  return (
    languages.find((l) => l.toLowerCase() === wanted) ??
    languages.find((l) => l.toLowerCase().split('-')[0] === primary)
  )
}

/** Language ranges of an Accept-Language header by descending quality (RFC 9110 12.5.4), refusals left out. */
function accepted(header: string): string[] {
  return header
    .slice(0, 1000)
    .split(',')
    .map((part, index) => {
      const [range = '', ...attributes] = part.split(';').map((s) => s.trim())
      const q = attributes.find((a) => /^q=/i.test(a))?.slice(2)
      const quality = q === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 0
      return { range, quality, index }
    })
    .filter(({ range, quality }) => range !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality || a.index - b.index)
    .map(({ range }) => range)
}

/** Explicit choice, then the remembered one, then what the app asked for, then the browser. */
export function chooseLanguage<L extends string>(
  hints: LanguageHints,
  languages: readonly L[],
  fallback: L,
): L {
  const exact = (tag: string | undefined) => languages.find((l) => l === tag)
  const uiLocales =
    typeof hints.uiLocales === 'string' ? hints.uiLocales.split(' ') : (hints.uiLocales ?? [])
  const asked = [...uiLocales, ...accepted(hints.acceptLanguage ?? '')]
  const found =
    exact(hints.query) ??
    exact(hints.cookie) ??
    asked.map((tag) => nearest(tag, languages)).find((l) => l !== undefined)
  return languages.find((l) => l === found) ?? fallback
}
