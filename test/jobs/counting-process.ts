/** Counts one event at a time until it is killed. */
import { openSignInCounting } from '#jobs/count-sign-ins.ts'
import { openStore } from '#store/store.ts'

const store = openStore(JSON.parse(process.env.WHERE ?? ''))
process.send?.('counting')
await openSignInCounting(store, 1).run(new AbortController().signal)
setInterval(() => {}, 1000)
