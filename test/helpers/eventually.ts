/**
 * Asks again until the answer is as it should be; the last answer is what the test looks at. The patience is for a slow
 * machine and costs nothing where all is well: what must not take long the test says by itself.
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  withinMs = 30_000,
): Promise<T> {
  const until = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (isRight(answer) || performance.now() > until) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
