/**
 * How often a password may be tried. A try is counted before the password is looked at and given back when it was
 * right, so that a thousand tries at the same moment are no better than one after another. Names are counted as they
 * are typed, whether or not somebody has them: the answers are the same.
 */
import type { SiteFile } from '#config/schema.ts'
import { BusyError } from '#errors.ts'
import type { Log } from '#lib/log.ts'
import type { Counters, Hit } from './counters.ts'

export type Try = {
  /** As typed, made comparable. */
  name: string
  /** The client's address, or what counts as one. */
  source: string
  /** Failures from there per minute that are let pass: a school's whole network is one address. */
  sourceFailures: number
  /** The browser, if this very name signed in with its password there before: nobody elsewhere can lock her out. */
  device?: string
}

/** Whose patience is asked: hers alone, everybody's on her network, or everybody's who comes for this name. */
export type Held = 'name' | 'source' | 'account'

export type Begun =
  | { kind: 'wait'; because: Held; seconds: number }
  | {
      kind: 'begun'
      /** The password was right: what was counted of this name is forgotten. */
      right(): Promise<void>
      /** It was wrong. How many seconds to wait before the next try. */
      wrong(): Promise<number>
      /** It was not looked at after all. */
      undecided(): Promise<void>
    }

export type SignInLimits = { begin(one: Try): Promise<Begun> }

export type SignInLimitPorts = {
  counters: Counters
  rules: SiteFile['limits']['sign_in']
  log: Pick<Log, 'warn'>
}

/** While as many tries as a name has are under way at once, the next one waits for their outcome. */
const underWaySeconds = 2

/** Under what everything is counted that may keep somebody of this name out, wherever it was tried. */
export const countedUnder = (name: string): string[] => ['sign-in', name]

export function openSignInLimits({ counters, rules, log }: SignInLimitPorts): SignInLimits {
  const { waits_seconds: waits, failures_per_account_per_hour: mostOfAccount } = rules
  const memory = Math.max(...waits)

  /** Without the counters nobody signs in with a password: guessing would be free. */
  const hit: Counters['hit'] = async (...hits) => {
    try {
      return await counters.hit(...hits)
    } catch (cause) {
      throw new BusyError('sign-ins cannot be counted', { cause })
    }
  }

  return {
    async begin({ name, source, sourceFailures, device }) {
      const whose = countedUnder(name)
      const own: Hit = {
        whose,
        of: ['password', name, device ? 'device' : 'source', device ?? source],
        seconds: memory,
      }
      const ofAccount: Hit = { whose, of: ['passwords of', name], seconds: 60 * 60 }
      const ofSource: Hit = { of: ['passwords from', source], seconds: 60 }
      const [mine, account, network] = await hit(own, ofAccount, ofSource)

      const giveBack = async (more: Partial<Hit> = { points: -1 }) => {
        await hit({ ...own, ...more }, { ...ofAccount, points: -1 }, { ...ofSource, points: -1 })
      }
      const hold = async (because: Held, seconds: number): Promise<Begun> => {
        await giveBack()
        return { kind: 'wait', because, seconds }
      }
      if (mine.waitSeconds > 0) return hold('name', mine.waitSeconds)
      if (mine.points > waits.length) return hold('name', underWaySeconds)
      if (!device && network.points > sourceFailures) return hold('source', network.leftSeconds)
      if (!device && account.points > mostOfAccount) {
        return hold('account', account.leftSeconds)
      }
      return {
        kind: 'begun',
        right: () => giveBack({ points: 'none' }),
        async wrong() {
          // Once in a window: the tries that follow are held and change nothing. The name itself is personal data.
          if (account.points === mostOfAccount)
            log.warn({ alarm: 'guessing' }, 'account under attack')
          const waitSeconds = waits[mine.points - 1] ?? memory
          if (waitSeconds > 0) await hit({ ...own, points: 0, waitSeconds })
          return waitSeconds
        },
        undecided: () => giveBack(),
      }
    },
  }
}
