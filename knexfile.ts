/** For `npx knex migrate:…` by hand. The program itself migrates at start and by `npx citygate migrate`. */
import { join } from 'node:path'
import { databaseConfig } from '#store/database.ts'

export default databaseConfig(join(process.env.DATA_DIR ?? 'data', 'citygate.sqlite3'))
