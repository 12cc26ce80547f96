/** What is worth counting, as the rooms say it. Nobody counts until an operator asks for metrics. */

export type Metrics = {
  /** One sign-in tried. `connector` is the county's id, or nothing where no county took part. */
  signIn(way: 'password' | 'upstream', connector: string, outcome: string): void
  /** One call to an upstream, with the kind of failure if it was one. */
  upstream(connector: string, step: 'begin' | 'complete', seconds: number, failure?: string): void
  token(grantType: string, outcome: string): void
  passwordHash(seconds: number): void
  /** `route` is a pattern or a name, never a path. */
  request(route: string, method: string, status: number, seconds: number): void
  /** One statement of the database, by the name its author gave it. */
  statement(name: string, seconds: number): void
  rateLimited(endpoint: string, key: string): void
  /** Everything counted so far, in Prometheus' words. */
  text(): Promise<string>
}

const nothing = () => {}

export const unmeasured: Metrics = {
  signIn: nothing,
  upstream: nothing,
  token: nothing,
  passwordHash: nothing,
  request: nothing,
  statement: nothing,
  rateLimited: nothing,
  text: async () => '',
}

/** Runs `work` and says how many seconds it took, whether it went well or not. */
export async function timed<T>(
  work: () => Promise<T>,
  done: (seconds: number, error?: unknown) => void,
): Promise<T> {
  const started = performance.now()
  const passed = () => (performance.now() - started) / 1000
  try {
    const result = await work()
    done(passed())
    return result
  } catch (error) {
    done(passed(), error)
    throw error
  }
}
