/** Several use-cases in one transaction: what one writes the next one sees, and all of it is kept or nothing is. */
import type { Store } from '#store/store.ts'
import type { Outcome } from '../operation.ts'

/** Rolls the transaction back and carries the outcome out of it. */
class NotDone extends Error {
  override name = 'NotDone'
  readonly outcome: Outcome<never>
  constructor(outcome: Outcome<never>) {
    super('not done')
    this.outcome = outcome
  }
}

/** `work` gets a store whose own transactions are part of this one. */
export async function together<T>(
  store: Store,
  work: (bound: Store) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  try {
    return await store.transaction(async (tables) => {
      const bound: Store = { ...store, ...tables, transaction: (inner) => inner(tables) }
      const outcome = await work(bound)
      if (outcome.kind !== 'done') throw new NotDone(outcome)
      return outcome
    })
  } catch (error) {
    if (error instanceof NotDone) return error.outcome
    throw error
  }
}
