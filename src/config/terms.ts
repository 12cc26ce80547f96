/** Reads `terms/<id>.<day>.<language>.md`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import markdownIt from 'markdown-it'
import { sha256 } from '#lib/crypto.ts'
import {
  dayInTaiwan,
  openTerms,
  type Terms,
  type TermsText,
  type TermsVersion,
} from '#lib/terms.ts'
import type { ConfigProblem } from '../errors.ts'
import { languages } from './words.ts'

// Headings in it stand under the page's own h1 and the title.
const markdown = markdownIt({ html: false, linkify: false })
markdown.core.ruler.push('headings stand lower', ({ tokens }) => {
  for (const token of tokens) {
    const level = Number(/^h([1-5])$/.exec(token.tag)?.[1])
    if (level) token.tag = `h${level + 1}`
  }
})

/** The file's first line is its title, `# …`; comments (`<!-- … -->`) are for those who write it. */
function readText(text: string): TermsText | undefined {
  const body = text.replaceAll(/<!--.*?-->/gs, '').trim()
  const [first = '', ...rest] = body.split('\n')
  const title = /^# +(.+)$/.exec(first)?.[1]
  return title ? { title, html: markdown.render(rest.join('\n')), hash: sha256(text) } : undefined
}

/** Every version in every language, or a complaint for each that is not. */
export function readTerms(root: string, cwd: string, problems: ConfigProblem[]): Terms {
  const folder = join(root, 'terms')
  const versions = new Map<string, TermsVersion[]>()
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const file = relative(cwd, join(folder, name))
    const complain = (message: string) => problems.push({ file, key: '', message })
    const [, id = '', version = '', language = ''] =
      /^([a-z][a-z0-9-]*)\.(\d{4}-\d\d-\d\d)\.([A-Za-z-]+)\.md$/.exec(name) ?? []
    const from = dayInTaiwan(version)
    if (Number.isNaN(from) || !languages.some((one) => one === language)) {
      complain(`must be named <id>.<day it comes into force>.<${languages.join('|')}>.md`)
      continue
    }
    const text = readText(readFileSync(join(folder, name), 'utf8'))
    if (!text) {
      complain('must begin with its title, "# …"')
      continue
    }
    const known = versions.get(id) ?? []
    versions.set(id, known)
    const same = known.find((one) => one.version === version)
    if (same) same.texts[language] = text
    else known.push({ id, version, from, texts: { [language]: text } })
  }
  for (const { id, version, texts } of [...versions.values()].flat()) {
    for (const language of languages.filter((one) => !texts[one])) {
      const file = relative(cwd, join(folder, `${id}.${version}.${language}.md`))
      problems.push({
        file,
        key: '',
        message: 'is missing: each version is there in every language',
      })
    }
  }
  return openTerms(versions)
}
