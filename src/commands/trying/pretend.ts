/** Somebody an upstream would vouch for, as the operator describes her. */
import { z } from 'zod'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { exits, Stop } from '../tools.ts'
import type { Answers, Question } from './answers.ts'

const roles = ['teacher', 'staff', 'student', 'parent', 'other'] as const
const text = z.string().min(1).optional()
const person = z.strictObject({
  name: text,
  nickname: text,
  email: text,
  gender: text,
  role: z.enum(roles).optional(),
  title: text,
  school: text,
})
type Person = z.infer<typeof person>

/** `{"name": "王小明", "role": "teacher"}` */
export function readPerson(json: string): Person {
  const wanted = Object.keys(person.shape).join(', ')
  try {
    return person.parse(JSON.parse(json))
  } catch {
    throw new Stop(
      exits.usage,
      `--as takes JSON with any of ${wanted}; role is one of ${roles.join(', ')}`,
    )
  }
}

const questions: Question[] = Object.keys(person.shape).map((name) => ({
  name,
  label: name,
  rules: name === 'role' ? [...roles] : [],
  required: false,
  value: '',
}))

export async function askPerson(answers: Answers, step: string): Promise<Person> {
  const said: Record<string, string> = {}
  for (const question of questions) {
    const answer = await answers.ask(step, question)
    if (answer) said[question.name] = answer
  }
  return readPerson(JSON.stringify(said))
}

export function pretend(connector: string, said: Person): UpstreamIdentity {
  const { name, nickname, email, gender, role, title, school } = said
  const profile = Object.entries({ name, nickname, email, gender }).filter(([, one]) => one)
  const affiliation = {
    schoolCode: '000000',
    ...(school ? { schoolName: school } : {}),
    role: role ?? ('other' as const),
    titles: title ? [title] : [],
    classes: [],
  }
  return {
    connector,
    issuer: `https://${connector}.invalid`,
    subject: 'somebody who tries',
    profile: Object.fromEntries(profile),
    affiliations: role || title || school ? [affiliation] : [],
    openid2Ids: [],
    raw: {},
  }
}
