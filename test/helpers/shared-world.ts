/** One world for all tests of a file, opened in `test.before`; it is closed after the last of them. */
import test, { type ExecutionContext } from 'ava'
import { buildWorld, type World } from './world.ts'

// AVA's hooks have no teardown of their own: what a world asks to be closed is kept for the end.
const leftovers: (() => unknown)[] = []
test.after.always(async () => {
  for (const leftover of leftovers.reverse()) await leftover()
})

export const openSharedWorld = (options?: Parameters<typeof buildWorld>[1]): Promise<World> => {
  const t = { teardown: (leftover: () => unknown) => leftovers.push(leftover) }
  return buildWorld(t as unknown as ExecutionContext, options)
}
