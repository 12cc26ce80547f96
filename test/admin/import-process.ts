/** A process that checks and imports what is due, as slowly as its manners say, until it is killed. */
import { openStore, type Where } from '#store/store.ts'
import { portsOn, workOff } from './imports.ts'

const where: Where = JSON.parse(process.argv[2] ?? '{}')
const store = openStore(where)
store.beginAudit(Buffer.alloc(32, 7))
store.beginOutbox(Buffer.alloc(32, 8))
const ports = portsOn(store)
await workOff(ports, { rows: { first: 25, least: 25, most: 25 } })
await ports.passwords.close()
await store.close()
