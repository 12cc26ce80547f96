/** Work in one transaction whose outcome says whether it is kept: several use-cases together, or one that finds late that it cannot be. */
import type { Store, Tables } from '#store/store.ts'
import type { Outcome } from './operation.ts'

/** Rolls the transaction back and carries the outcome out of it. */
class TakenBackError<T> extends Error {
  override name = 'TakenBackError'
  readonly outcome: T
  constructor(outcome: T) {
    super('taken back')
    this.outcome = outcome
  }
}

/** What is given to `takeBack` is the outcome, and nothing `work` has written is kept. */
export async function keptOrTakenBack<T>(
  { transaction }: Pick<Store, 'transaction'>,
  work: (tables: Tables, takeBack: (outcome: T) => never) => Promise<T>,
): Promise<T> {
  try {
    return await transaction((tables) =>
      work(tables, (outcome) => {
        throw new TakenBackError(outcome)
      }),
    )
  } catch (error) {
    if (error instanceof TakenBackError) return error.outcome
    throw error
  }
}

/** What one use-case writes the next one sees: `work` gets a store whose own transactions are part of this one. */
export const together = <T>(
  store: Store,
  work: (bound: Store) => Promise<Outcome<T>>,
): Promise<Outcome<T>> =>
  keptOrTakenBack<Outcome<T>>(store, async (tables, takeBack) => {
    const bound: Store = { ...store, ...tables, transaction: (inner) => inner(tables) }
    const outcome = await work(bound)
    return outcome.kind === 'done' ? outcome : takeBack(outcome)
  })
