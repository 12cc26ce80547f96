/** What every command shares: exit codes, outcomes in a sentence, and the opened house. */
import { userInfo } from 'node:os'
import type { House } from '#http/house.ts'
import type { App } from '../app.ts'

/** Exit codes: sysexits.h, listed in `--help`. */
export const exits = { usage: 64, rejected: 65, unknown: 66, unavailable: 69, config: 78 } as const

/** An outcome that is no bug: said in a sentence, with its exit code. */
export class Stop extends Error {
  readonly exit: number
  constructor(exit: number, message: string) {
    super(message)
    this.exit = exit
  }
}

/** Who the audit trail says typed it. */
export const operator = (): string => `operator:${userInfo().username}`

/** On standard output. Names and settings are others' words: what in them would steer the terminal does not. */
export const print = (text: string) =>
  process.stdout.write(`${text.replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd')}\n`)

/** For an option that may be given several times. */
export const collect = (value: string, before: string[] = []) => [...before, value]

/** Runs `work` on the database of the environment, beside a server that may be running. */
export const inHouse = <T>(work: (house: House) => Promise<T>): Promise<T> =>
  inApp(({ house }) => work(house))

/** The same with what is otherwise done in the background; by itself nothing of it begins. */
export async function inApp<T>(work: (app: App) => Promise<T>): Promise<T> {
  const [{ loadConfig }, { openApp }, { openLog }] = await Promise.all([
    import('#config/load.ts'),
    import('../app.ts'),
    import('#lib/log.ts'),
  ])
  const app = await openApp(loadConfig(process.env), { log: openLog('silent') })
  try {
    return await work(app)
  } finally {
    await app.close()
  }
}

/** What is wrong with what was typed, a line for each field. */
export const rejected = (problems: { field: string; message: string }[]) =>
  new Stop(
    exits.rejected,
    ['rejected, nothing was changed:', ...problems.map((p) => `  ${p.field}: ${p.message}`)].join(
      '\n',
    ),
  )

/** So many things, `least` of them at least. Throws Stop for anything else. */
export function readCount(option: string, text: string, least = 1): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
  throw new Stop(exits.usage, `${option} ${text} is no whole number from ${least}`)
}

/** All of standard input, without the line end behind it. */
export async function readStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
  return text.replace(/\r?\n$/, '')
}
