/** One enrolment from its door to what it makes, in a house that is thrown away. */
import { stringify } from 'yaml'
import type { EnrolmentRules } from '#config/enrolment.ts'
import type { Config } from '#config/load.ts'
import type { Language } from '#config/words.ts'
import { exits, print, Stop } from '../tools.ts'
import { describeAccount } from './account.ts'
import { type Answers, pipedAnswers, readAnswers, typedAnswers } from './answers.ts'
import { openTrial } from './house.ts'
import { readPerson } from './pretend.ts'
import { type Way, walkThrough } from './walk.ts'

type Options = {
  answers?: string
  as?: string
  door?: Way['door']
  connector?: string
  language: Language
}

export async function tryOut(
  config: Config,
  rules: EnrolmentRules,
  options: Options,
): Promise<void> {
  const way = wayOf(config, rules, options)
  const answers = await answersOf(options)
  const trial = await openTrial(config, options.language)
  try {
    print(`${rules.title[options.language]} (${rules.id}), by the door for: ${way.door}`)
    const accountId = await walkThrough(trial, answers, way)
    if (!accountId) throw new Stop(exits.rejected, 'it ended without an account')
    print(
      `\nthis account would be made:\n${stringify(await describeAccount(trial.store, accountId))}`,
    )
    for (const one of answers.left()) print(`nobody asked for ${one}`)
  } finally {
    answers.close()
    await trial.close()
  }
}

function wayOf(config: Config, rules: EnrolmentRules, { door, connector, as }: Options): Way {
  const doors = (['visitor', 'identity', 'member'] as const).filter((one) => rules.entry[one])
  const chosen = door ?? doors[0]
  if (!chosen || !doors.includes(chosen))
    throw new Stop(exits.usage, `${rules.id} has no door for ${door}; it has: ${doors.join(', ')}`)
  const admitted = rules.entry.identity?.connectors
  const from = config.connectors
    .map(({ id }) => id)
    .filter((id) => admitted === undefined || admitted === 'all' || admitted.includes(id))
  const home = connector ?? from[0] ?? ''
  if (chosen === 'identity' && !from.includes(home))
    throw new Stop(exits.usage, `--connector must be one of ${from.join(', ')}`)
  return {
    rules,
    door: chosen,
    connector: home,
    ...(as === undefined ? {} : { as: readPerson(as) }),
  }
}

async function answersOf({ answers }: Options): Promise<Answers> {
  if (answers !== undefined) return readAnswers(answers)
  return process.stdin.isTTY ? typedAnswers() : pipedAnswers()
}
