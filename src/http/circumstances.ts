/** What an audit event says of the request that led to it. */
import type { Circumstances } from '#store/store.ts'
import type { Context } from './context.ts'

export const circumstancesOf = ({ state }: Context): Circumstances => ({
  address: state.source ?? '',
  ref: state.ref,
})
