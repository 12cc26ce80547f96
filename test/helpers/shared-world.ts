/** One world for all tests of a file: for `test.before`, with `close` in `test.after.always`. */
import type { ExecutionContext } from 'ava'
import { buildWorld, type World } from './world.ts'

type Options = Parameters<typeof buildWorld>[1]

export async function openSharedWorld(
  options: Options = {},
): Promise<{ world: World; close(): Promise<void> }> {
  // AVA's hooks have no teardown of their own: what a world asks to be closed is kept for `close`.
  const leftovers: (() => unknown)[] = []
  const t = { teardown: (leftover: () => unknown) => leftovers.push(leftover) }
  const world = await buildWorld(t as unknown as ExecutionContext, options)
  return {
    world,
    async close() {
      for (const leftover of leftovers.reverse()) await leftover()
    },
  }
}
