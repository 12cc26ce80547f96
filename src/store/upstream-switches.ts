/** Upstreams that staff switched off: nobody comes in by them until they are switched on again. */
import { type Row, type Statements, statement } from './statements.ts'

export type UpstreamSwitchRow = {
  connector: string
  offAt: number
  switchedBy: string
  /** Staff's own words: for staff only. */
  reason: string
}

export type UpstreamSwitches = {
  /** True for the caller who switched it off: not where it is off already. */
  switchOff(row: UpstreamSwitchRow): Promise<boolean>
  /** True for the caller who switched it on: not where it is on already. */
  switchOn(connector: string): Promise<boolean>
  find(connector: string): Promise<UpstreamSwitchRow | undefined>
  list(): Promise<UpstreamSwitchRow[]>
}

const columns = 'connector, off_at, switched_by, reason'
const switchOff = statement(
  'upstream-switch.off',
  `INSERT INTO upstream_switch (${columns}) VALUES (?, ?, ?, ?)
   ON CONFLICT (connector) DO NOTHING RETURNING connector`,
)
const switchOn = statement(
  'upstream-switch.on',
  'DELETE FROM upstream_switch WHERE connector = ? RETURNING connector',
)
const find = statement(
  'upstream-switch.find',
  `SELECT ${columns} FROM upstream_switch WHERE connector = ?`,
)
const list = statement('upstream-switch.list', `SELECT ${columns} FROM upstream_switch`)

export function openUpstreamSwitches(statements: Statements): UpstreamSwitches {
  return {
    switchOff: async ({ connector, offAt, switchedBy, reason }) =>
      (await statements.run(switchOff, [connector, offAt, switchedBy, reason])).length === 1,
    switchOn: async (connector) => (await statements.run(switchOn, [connector])).length === 1,
    async find(connector) {
      const [row] = await statements.run(find, [connector])
      return row && read(row)
    },
    list: async () => (await statements.run(list, [])).map(read),
  }
}

const read = (row: Row): UpstreamSwitchRow => ({
  connector: String(row.connector),
  offAt: Number(row.off_at),
  switchedBy: String(row.switched_by),
  reason: String(row.reason),
})
