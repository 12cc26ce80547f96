/** Keeps the newest things of one sort over a restart. */
import type { SandboxMemory } from './memory.ts'

export type Shelf<Thing extends { id: string }> = {
  /** On top. What has the id of one that is kept is that one, sent again. */
  put(thing: Thing): Promise<void>
  find(id: string): Promise<Thing | undefined>
  /** Newest first. */
  list(): Promise<Thing[]>
  clear(): Promise<void>
}

type Place = { id: string; slot: number }

/** A list of what is where, and a slot for each thing; the newest takes the slot of the oldest. */
export function openShelf<Thing extends { id: string }>(
  memory: SandboxMemory,
  name: string,
  places: number,
): Shelf<Thing> {
  const listKey = `sandbox.${name}`
  const slotKey = ({ slot }: Place) => `sandbox.${name}.${slot}`
  let last: Promise<unknown> = Promise.resolve()

  /** One process has the sandbox: what changes the list waits for what did so before. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  const kept = async (): Promise<Place[]> => JSON.parse((await memory.get(listKey)) ?? '[]')
  const keep = (list: Place[]) => memory.set(listKey, JSON.stringify(list))

  async function read(place: Place): Promise<Thing[]> {
    const text = await memory.get(slotKey(place))
    const thing: Thing | undefined = text ? JSON.parse(text) : undefined
    // Its slot was taken by another one since we read the list.
    return thing?.id === place.id ? [thing] : []
  }

  return {
    put: (thing) =>
      inTurn(async () => {
        const before = await kept()
        if (before.some(({ id }) => id === thing.id)) return
        const place = { id: thing.id, slot: ((before[0]?.slot ?? -1) + 1) % places }
        await memory.set(slotKey(place), JSON.stringify(thing))
        await keep([place, ...before].slice(0, places))
      }),
    async find(id) {
      const place = (await kept()).find((one) => one.id === id)
      return place && (await read(place))[0]
    },
    list: async () => (await Promise.all((await kept()).map(read))).flat(),
    clear: () =>
      inTurn(async () => {
        const before = await kept()
        await keep([])
        for (const place of before) await memory.set(slotKey(place), '')
      }),
  }
}
