/** A house nobody lives in: the real engine on a database that is thrown away. Nothing is kept, nothing is sent. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCounters } from '#accounts/counters.ts'
import { openPasswordRules } from '#accounts/password-rules.ts'
import { openPasswords } from '#accounts/passwords.ts'
import type { Config } from '#config/load.ts'
import type { Language } from '#config/words.ts'
import type { Enrolments } from '#enrolment/engine.ts'
import type { Visitor } from '#enrolment/joinings.ts'
import { linkPaths } from '#http/link-paths.ts'
import type { Letter } from '#lib/letter.ts'
import { type Message, type Messages, openMessages } from '#lib/messages.ts'
import { openJoining } from '#opening/joining.ts'
import { openLetters } from '#outside/letters.ts'
import { openPictures } from '#outside/pictures.ts'
import { openStore, type Store } from '#store/store.ts'

export type Trial = {
  engine: Enrolments
  store: Store
  language: Language
  messages: Messages
  say(message: Message): string
  /** Those that would have been sent, the newest last. */
  letters: Letter[]
  /** Who tries it. */
  visitor: Visitor
  close(): Promise<void>
}

const views = join(import.meta.dirname, '..', '..', '..', 'views')

export async function openTrial(config: Config, language: Language): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'citygate-trial-'))
  const sweep = () => rmSync(folder, { recursive: true, force: true })
  // Also when it is broken off in the middle.
  process.once('exit', sweep)
  const store = openStore({
    engine: 'sqlite',
    file: join(folder, 'trial.sqlite3'),
    synchronous: 'normal',
  })
  await store.migrate()
  store.beginAudit(randomBytes(32))
  store.beginOutbox(randomBytes(32))
  const { issuer, site } = config
  const messages = openMessages(join(views, 'messages'))
  const write = openLetters({ viewsDir: views, messages, site, issuer })
  const passwords = openPasswords()
  const pictures = openPictures()
  const letters: Letter[] = []
  const now = Date.now
  const engine = openJoining(config, {
    store,
    now,
    dataKey: randomBytes(32),
    writeLetter(letter) {
      letters.push(letter)
      return write(letter)
    },
    linkUrl: (purpose, token) => `${issuer}${linkPaths[purpose]}/${token}`,
    resetUrl: `${issuer}${linkPaths.reset}`,
    passwords,
    judgePassword: openPasswordRules(),
    counters: openCounters({ store, now, key: randomBytes(32) }),
    encodePicture: pictures.encode,
    // All of them are pretended: what a county says is typed in.
    connectors: new Map(config.connectors.map(({ id }) => [id, { origins: [] }])),
  })
  return {
    engine,
    store,
    language,
    messages,
    say(message) {
      const { key, params } = typeof message === 'string' ? { key: message } : message
      return messages.translate(language, key, params)
    },
    letters,
    visitor: {
      device: 'trial',
      language,
      address: '127.0.0.1',
      // Whoever tries it ten times a minute is no attack.
      source: { name: 'trial', factor: 1000 },
    },
    async close() {
      pictures.close()
      await passwords.close()
      await store.close()
      sweep()
      process.off('exit', sweep)
    },
  }
}
