/** From where a password is tried: what the limits of sign-ins go by. */
import type { Try } from '#accounts/sign-in-limits.ts'
import type { Context } from './context.ts'
import type { House } from './house.ts'

/** The device counts for the name it signed in with before, and for no other. */
export const tryFrom =
  ({ limits, knownDevices }: Pick<House, 'limits' | 'knownDevices'>, ctx: Context) =>
  (name: string): Omit<Try, 'name'> => {
    const { name: source, factor } = limits.sourceOf(ctx)
    const device = knownDevices.find(ctx, name)
    return {
      source,
      sourceFailures: factor * limits.rules.sign_in.failures_per_source_per_minute,
      ...(device === undefined ? {} : { device }),
    }
  }
