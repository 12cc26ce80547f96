/** What people and apps do all the time, over and over, and whatever of it does not go well. */
import { Agent, type Dispatcher, fetch as poolFetch } from 'undici'
import { openBrowser } from './browser.ts'
import { later, type Prepared } from './program.ts'
import { arrivedAt } from './relying-party.ts'

export type Load = {
  /** In words, each with what was asked for. */
  failures: string[]
  /** How often each thing went well. */
  done: Record<string, number>
  /** Lets everybody finish what they do. */
  stop(): Promise<void>
}

type Options = {
  /** Milliseconds each of them rests between two things. */
  restMs: number
  /** How many people sign in over and over, and how many machines ask. */
  people: number
  machines: number
}

/** Signs a person in with her password and hands everything to the app, up to its userinfo. */
export async function signInWholly(
  { rp }: Pick<Prepared, 'rp'>,
  person: Prepared['people'][number],
): Promise<{ browser: ReturnType<typeof openBrowser>; refreshToken: string; accessToken: string }> {
  const browser = openBrowser()
  const page = await rp.begin(browser, { scope: 'openid offline_access', prompt: 'consent' })
  const asked = await browser.submit(page, 'local-form', person)
  const back = await browser.submit(asked, 'consent-form', { decision: 'allow' })
  if (!arrivedAt(rp, back)) throw new Error(`${back.status} at ${back.url.pathname}`)
  const { status, body } = await rp.redeem(back.url)
  if (status !== 200) throw new Error(`token: ${status} ${JSON.stringify(body)}`)
  const me = await rp.get('/me', body.access_token)
  if (me.body.sub !== person.sub) throw new Error(`userinfo: ${me.status}`)
  return { browser, refreshToken: body.refresh_token ?? '', accessToken: body.access_token }
}

/** Begins at once, against wherever `prepared` was told the issuer is. */
export function beginLoad(
  issuer: string,
  { rp, machine, people }: Prepared,
  { restMs, people: signers, machines }: Options,
): Load {
  const failures: string[] = []
  const done: Record<string, number> = {}
  let running = true
  const pool = new Agent({ connections: machines })

  async function repeat(name: string, once: () => Promise<void>) {
    while (running) {
      try {
        await once()
        done[name] = (done[name] ?? 0) + 1
      } catch (error) {
        const cause = error instanceof Error && error.cause ? ` (${error.cause})` : ''
        failures.push(`${name}: ${error}${cause}`)
      }
      await later(restMs)
    }
  }

  const ask = async (path: string, init?: Parameters<typeof poolFetch>[1]) => {
    const answer = await poolFetch(`${issuer}${path}`, { ...init, dispatcher: pool as Dispatcher })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`${answer.status} ${text.slice(0, 200)}`)
  }
  const authorization = `Basic ${btoa(`${machine.clientId}:${machine.clientSecret}`)}`
  const asMachine = async () => {
    await ask('/token', {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: 'https://api.cloud.edu.tw/learning',
        scope: 'learning:read',
      }),
    })
    await ask('/.well-known/openid-configuration')
  }
  const workers = [
    ...Array.from({ length: signers }, (_, i) => {
      const person = people[i % people.length]
      return repeat('sign-in', async () => {
        if (person) await signInWholly({ rp }, person)
      })
    }),
    ...Array.from({ length: machines }, () => repeat('machine', asMachine)),
  ]
  return {
    failures,
    done,
    async stop() {
      running = false
      await Promise.all(workers)
      await pool.close()
    },
  }
}
