/** Makes each request one unit of work on what the provider keeps: see oidc/unit.ts. */
import { isUnavailable } from '#errors.ts'
import { inUnit } from '#oidc/unit.ts'
import type { Context, Next } from '../context.ts'
import type { House } from '../house.ts'

export function unit({ store }: Pick<House, 'store'>) {
  return (ctx: Context, next: Next) =>
    inUnit(
      store.payloads,
      async () => {
        await next()
        // The provider has answered 500 to an error that was only the database being away.
        if (isUnavailable(ctx.state.serverError)) throw ctx.state.serverError
      },
      { agent: ctx.get('user-agent'), address: ctx.state.source },
    )
}
