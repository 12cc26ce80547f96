/** How far background work has come, and how it went the last time: one row per job, whoever did it. */
import { type Row, type Statements, statement } from './statements.ts'

export type JobPosition = {
  job: string
  /** As the job itself wants to read it again. Never a secret. */
  position: Record<string, unknown>
  /** When it was written: seconds since 1970. */
  at: number
}

export type JobPositions = {
  find(job: string): Promise<JobPosition | undefined>
  /** The last one to write wins. */
  put(row: JobPosition): Promise<void>
  /** Those whose name begins so, by name. */
  list(beginning: string): Promise<JobPosition[]>
}

const find = statement(
  'job-position.find',
  'SELECT job, position, at FROM job_position WHERE job = ?',
)
const put = statement(
  'job-position.put',
  `INSERT INTO job_position (job, position, at) VALUES (?, ?, ?)
   ON CONFLICT (job) DO UPDATE SET position = excluded.position, at = excluded.at`,
)
const list = statement(
  'job-position.list',
  'SELECT job, position, at FROM job_position WHERE substr(job, 1, ?) = ? ORDER BY job',
)

export function openJobPositions(statements: Statements): JobPositions {
  return {
    async find(job) {
      const [row] = await statements.run(find, [job])
      return row && read(row)
    },
    async put({ job, position, at }) {
      await statements.run(put, [job, JSON.stringify(position), at])
    },
    async list(beginning) {
      return (await statements.run(list, [beginning.length, beginning])).map(read)
    },
  }
}

const read = (row: Row): JobPosition => ({
  job: String(row.job),
  position: JSON.parse(String(row.position)),
  at: Number(row.at),
})
