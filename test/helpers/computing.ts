/** What work costs to compute, in milliseconds: a busy machine makes it take longer, but not dearer. */

/** Of work done at once, by the thread that does it. */
export function costOf(work: () => void): number {
  const { user, system } = process.threadCpuUsage()
  work()
  const after = process.threadCpuUsage()
  return (after.user - user + after.system - system) / 1000
}

/** Of work that other threads do as well: of all this process did meanwhile. For serial tests. */
export async function costOfAll(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
