/** For `npx knex migrate:…` by hand. The program itself migrates at start and by `npx citygate migrate`. */
import { join } from 'node:path'
import { databaseConfig } from '#store/database.ts'

const url = process.env.DATABASE_URL
const file = join(process.env.DATA_DIR ?? 'data', 'citygate.sqlite3')

export default databaseConfig(url ? { engine: 'postgres', url } : { engine: 'sqlite', file })
