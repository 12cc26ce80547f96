/** Of those who wait for each other PostgreSQL ends one: nothing of it is kept, and it is done anew. */

const mostTries = 3

/** `40P01`: deadlock_detected. */
const wasEnded = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '40P01'

/** Runs a whole transaction, or a statement that is one; again where a deadlock was ended by it. */
export async function throughDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === mostTries || !wasEnded(error)) throw error
    }
  }
}
