/** Nobody closes a county’s gate for others by what he brings back from it, whatever the county says to that. */
import test from 'ava'
import { UpstreamError } from '#errors.ts'
import { blameOf } from '#federation/health.ts'
import { openCity } from '../federation/canned-oauth2.ts'
import { html, json, openUpstream } from '../federation/canned-upstream.ts'
import { buildStore } from '../helpers/database.ts'

type Answer = () => Response

/** What a token endpoint may say to made-up codes, and to very many of them. */
const provoked: Record<string, Answer> = {
  'too many requests': () => json({ error: 'slow_down' }, 429),
  'an error page': () => html(500),
  'an OAuth error of its own': () => json({ error: 'server_error' }, 400),
  'that it is busy': () => json({ error: 'temporarily_unavailable' }, 400),
  'a page that forbids': () => html(403),
  'a page in place of JSON': () => html(200),
}

for (const [what, answer] of Object.entries(provoked)) {
  test(`${what} in answer to a made-up code is no outage`, async (t) => {
    const oidc = openUpstream({ at: { '/token': answer } })
    const oauth2 = openCity({ at: { '/oauth/token': answer } })
    for (const signIn of [oidc.signIn, oauth2.signIn]) {
      const error = await t.throwsAsync(() => signIn(), { instanceOf: UpstreamError })
      t.is(blameOf('complete', error), undefined, error?.message)
    }
  })
}

test('no gateway’s server, or nobody at all, is', async (t) => {
  for (const answer of [
    () => html(503),
    () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })),
  ]) {
    const { signIn } = openUpstream({ at: { '/token': answer } })
    const error = await t.throwsAsync(() => signIn(), { instanceOf: UpstreamError })
    t.is(blameOf('complete', error), 'unreachable')
  }
})

test('what a process with a wrong clock kept does not stand for ever', async (t) => {
  const { upstreamDocuments: documents } = await buildStore(t)
  const at = 2_000_000_000
  const keep = async (body: string, readAt: number) => {
    await documents.keep({ id: 'oidc.keys:tn', body, readAt })
    return (await documents.find('oidc.keys:tn'))?.body
  }
  t.is(await keep('of next year', at + 365 * 86_400), 'of next year')
  t.is(await keep('of now', at), 'of now')
  t.is(await keep('of a moment ago', at - 5), 'of now')
})
