/** `citygate user suspend …` and its like: what is done to one account. */
import type { Command } from 'commander'
import type { House } from '#http/house.ts'
import { carryOut } from './outcome.ts'
import { inHouse, print } from './tools.ts'

type People = typeof import('#admin/operations/people.ts')

type Act = {
  name: string
  what: string
  /** A reason is typed, for the audit trail. */
  reason?: boolean
  run(house: House, people: People, input: { sub: string; reason?: string }): Promise<string>
}

const acts: Act[] = [
  {
    name: 'suspend',
    what: 'keep somebody out: every session, token and link of hers ends',
    reason: true,
    async run(house, { suspend }, input) {
      const { sessionsEnded } = await carryOut(house, suspend, input)
      return `suspended ${input.sub}; ${sessionsEnded} sessions ended`
    },
  },
  {
    name: 'reactivate',
    what: 'let a suspended person in again',
    reason: true,
    async run(house, { reactivate }, input) {
      await carryOut(house, reactivate, input)
      return `active again: ${input.sub}`
    },
  },
  {
    name: 'unlock',
    what: 'lift what keeps her from trying her password again',
    async run(house, { unlock }, input) {
      const { lifted } = await carryOut(house, unlock, input)
      return `unlocked ${input.sub}; ${lifted} counters forgotten`
    },
  },
  {
    name: 'end-sessions',
    what: 'end every session and every token of hers',
    async run(house, { endPersonSessions }, input) {
      const { ended } = await carryOut(house, endPersonSessions, input)
      return `${ended} sessions of ${input.sub} ended, and every token`
    },
  },
  {
    name: 'send-reset',
    what: 'mail her a link to set a new password, to an address she keeps herself',
    async run(house, { sendReset }, input) {
      const { to } = await carryOut(house, sendReset, input)
      return `a link is on its way to ${to}`
    },
  },
]

export function addUserActs(user: Command): void {
  for (const { name, what, reason, run } of acts) {
    const command = user.command(name).description(what).argument('<sub>')
    if (reason) command.requiredOption('--reason <text>', 'why, for the audit trail')
    command.action(async (sub: string, options: { reason?: string }) => {
      const people = await import('#admin/operations/people.ts')
      const given = options.reason === undefined ? {} : { reason: options.reason }
      print(await inHouse((house) => run(house, people, { sub, ...given })))
    })
  }
}
