/** Forms that came when their sender had to prove herself anew: kept, sealed, until she is back in the same browser. */
import { randomToken, seal, sha256, unseal } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Fields } from '../../input.ts'

/** Seconds: time enough to look for one's telephone. */
const lasts = 30 * 60

export const heldPath = '/admin/held'

/** The field by which the page of a held form says which one it sends. */
export const heldField = 'held'

/** Fields every page adds: nobody typed them. */
const marks = new Set(['form_token', 'staff', heldField])

/** The fields of the form itself. */
export const typedIn = (fields: Fields): [name: string, value: string][] =>
  Object.entries(fields).filter(([name]) => !marks.has(name))

export type HeldForm = {
  /** Where it was sent. */
  action: string
  /** Where it stands. */
  page: string
  fields: Fields
}

export function openHeldForms({ store, keys, now }: Pick<House, 'store' | 'keys' | 'now'>) {
  const idOf = (ctx: Context, token: string) =>
    sha256(JSON.stringify(['held form', ctx.state.device, token]))
  const contextOf = (id: string) => `held_form.${id}`

  return {
    /** Keeps the form; the path of the page that shows it. */
    async hold(ctx: Context, form: HeldForm): Promise<string> {
      const token = randomToken()
      const id = idOf(ctx, token)
      const sealed = seal(keys.data, JSON.stringify(form), contextOf(id))
      await store.sealedNotes.keep({ id, sealed, expiresAt: seconds(now) + lasts })
      return `${heldPath}/${token}`
    },
    async find(ctx: Context, token: string): Promise<HeldForm | undefined> {
      const id = idOf(ctx, token)
      const row = await store.sealedNotes.find(id, seconds(now))
      return row && JSON.parse(unseal(keys.data, row.sealed, contextOf(id)))
    },
    /** Forgets it, when it was sent. */
    async letGo(ctx: Context, token: string): Promise<void> {
      const at = seconds(now)
      const row = await store.sealedNotes.find(idOf(ctx, token), at)
      if (row) await store.sealedNotes.take(row, at)
    },
  }
}
