/** Where answers come from: somebody at a terminal, a file, or a pipe with one a line. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { exits, print, readStdin, Stop } from '../tools.ts'

export type Question = {
  name: string
  label: string
  /** What may be answered, in words. */
  rules: string[]
  required: boolean
  /** What an empty answer means. */
  value?: string
  /** Not printed. */
  secret?: boolean
}

export type Answers = {
  /** Whether what was refused may be answered once more. */
  patient: boolean
  /** The answer to a question of a step. */
  ask(step: string, question: Question): Promise<string>
  /** Answers nobody asked for. */
  left(): string[]
  close(): void
}

const file = z.record(
  z.string(),
  z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
)

/** By step, then by field: `form: { name: 王小明 }`. */
export function readAnswers(path: string): Answers {
  const read = file.safeParse(parse(readFileSync(path, 'utf8')) ?? {})
  if (!read.success)
    throw new Stop(
      exits.rejected,
      `${path}: answers are lists of fields by step: form: { name: … }`,
    )
  const used = new Set<string>()
  return {
    patient: false,
    async ask(step, { name, value = '' }) {
      used.add(`${step}.${name}`)
      const answer = read.data[step]?.[name]
      return answer === undefined ? value : String(answer)
    },
    left: () =>
      Object.entries(read.data)
        .flatMap(([step, fields]) => Object.keys(fields).map((name) => `${step}.${name}`))
        .filter((name) => !used.has(name)),
    close() {},
  }
}

/** What comes through a pipe, one answer a line in the order of the questions. */
export async function pipedAnswers(): Promise<Answers> {
  const lines = (await readStdin()).split(/\r?\n/)
  return {
    patient: false,
    async ask(step, { name, value }) {
      const line = lines.shift()
      if (line === undefined && value === undefined)
        throw new Stop(exits.rejected, `no line is left to answer ${step}.${name} with`)
      return line || (value ?? '')
    },
    left: () => lines.filter((line) => line !== '').map((line) => `a line "${line}"`),
    close() {},
  }
}

export function typedAnswers(): Answers {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const broken = new AbortController()
  terminal.once('close', () => broken.abort())
  return {
    patient: true,
    async ask(_, { name, value }) {
      const preset = value ? ` [${value}]` : ''
      try {
        const answer = await terminal.question(`    ${name}${preset}: `, { signal: broken.signal })
        return answer.trim() || (value ?? '')
      } catch (error) {
        if (!broken.signal.aborted) throw error
        print('')
        throw new Stop(exits.usage, 'broken off; nothing was kept')
      }
    },
    left: () => [],
    close: () => terminal.close(),
  }
}
