/** Asks again until the answer is as it should be, or the time is over; the last answer is what the test looks at. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  withinMs = 1_000,
): Promise<T> {
  const until = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (isRight(answer) || performance.now() > until) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
