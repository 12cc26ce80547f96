/** What comes or goes as a CSV of any length: what no operation's `run` alone does. */
import { beginExport, exportPeople } from './imports/export.ts'
import { beginImport, receiveImport } from './imports/receive.ts'
import type { Barred, Operation, Outcome } from './operation.ts'
import type { AdminPorts } from './ports.ts'
import type { By } from './staff.ts'

export type Stream = {
  /** Who may, and with what: the gate `takes` and `gives` begin with. */
  operation: Operation
} & (
  | {
      kind: 'takes'
      run(
        ports: AdminPorts,
        by: By,
        bytes: AsyncIterable<Uint8Array>,
        input: object,
      ): Promise<Outcome<unknown> | Barred>
    }
  | {
      kind: 'gives'
      /** What a browser saves it as. */
      file: string
      run(
        ports: AdminPorts,
        by: By,
        input: object,
      ): Promise<Outcome<AsyncIterable<string>> | Barred>
    }
)

export const streams: readonly Stream[] = [
  { kind: 'takes', operation: beginImport, run: receiveImport },
  {
    kind: 'gives',
    operation: beginExport,
    file: 'people.csv',
    run: exportPeople,
  },
]
