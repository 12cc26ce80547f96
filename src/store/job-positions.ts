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
  /** The same, and nobody else goes on from it until the transaction ends. Call it inside one. */
  lock(job: string): Promise<JobPosition | undefined>
  /** The last one to write wins. */
  put(row: JobPosition): Promise<void>
  remove(job: string): Promise<void>
  /** Those whose name begins so, by name. */
  list(beginning: string): Promise<JobPosition[]>
}

const one = 'SELECT job, position, at FROM job_position WHERE job = ?'
const find = statement('job-position.find', one)
const lock = statement('job-position.lock', {
  // A transaction holds SQLite's only write lock.
  sqlite: one,
  postgres: `${one} FOR UPDATE`,
})
const remove = statement('job-position.remove', 'DELETE FROM job_position WHERE job = ?')
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
  const only = async (which: typeof find, job: string) => {
    const [row] = await statements.run(which, [job])
    return row && read(row)
  }
  return {
    find: (job) => only(find, job),
    lock: (job) => only(lock, job),
    async remove(job) {
      await statements.run(remove, [job])
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
