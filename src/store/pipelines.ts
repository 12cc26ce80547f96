/**
 * Connections on which statements follow each other without waiting for the answers: many requests share a round trip
 * and its system calls, which costs both sides little more than half. A statement that waits for a lock holds up those
 * behind it, so transactions, and whoever holds something a transaction may wait for, have connections of their own.
 */
import type { Client, ClientConfig } from 'pg'
import type { Row, Statement, Value } from './statements.ts'

export type Pipelines = {
  run(statement: Statement, values: Value[]): Promise<Row[]>
  close(): Promise<void>
}

type Lane = { client: Promise<Client>; underWay: number }

/** Opens each connection when it is first needed, and again after it broke. */
export function openPipelines(config: ClientConfig, count: number): Pipelines {
  const lanes: (Lane | undefined)[] = Array.from({ length: count })
  let closed = false

  function open(place: number): Lane {
    const forget = () => {
      if (lanes[place] === lane) lanes[place] = undefined
    }
    const lane: Lane = { client: connect(config, forget), underWay: 0 }
    lane.client.catch(forget)
    lanes[place] = lane
    return lane
  }

  /** The one with the least to do. */
  function choose(): Lane {
    let best: Lane | undefined
    for (const [place, lane] of lanes.entries()) {
      if (!lane) return best && best.underWay === 0 ? best : open(place)
      if (!best || lane.underWay < best.underWay) best = lane
    }
    if (!best) throw new Error('no pipeline')
    return best
  }

  return {
    async run({ name, postgres: text }, values) {
      // A connection opened now would be nobody's to close, and keep the process from ending.
      if (closed) throw new Error('the database is closed')
      const lane = choose()
      lane.underWay++
      try {
        const client = await lane.client
        return (await client.query({ name, text, values })).rows
      } finally {
        lane.underWay--
      }
    },
    async close() {
      closed = true
      const open = lanes.filter((lane) => lane !== undefined)
      await Promise.allSettled(open.map(async ({ client }) => (await client).end()))
    },
  }
}

async function connect(config: ClientConfig, broken: () => void): Promise<Client> {
  // Only who has a PostgreSQL loads its driver.
  const { default: pg } = await import('pg')
  const client = new pg.Client({ ...config, pipeline: true })
  // What was under way is rejected by the client itself.
  client.on('error', broken)
  client.on('end', broken)
  await client.connect()
  return client
}
