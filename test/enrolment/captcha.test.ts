import test, { type ExecutionContext } from 'ava'
import { openCounters } from '#accounts/counters.ts'
import type { Outcome, Visit } from '#enrolment/step.ts'
import { openCaptcha } from '#enrolment/steps/captcha.ts'
import type { Message } from '#lib/messages.ts'
import { openProofOfWork } from '#lib/proof-of-work.ts'
import { solve } from '#lib/solve-challenge.ts'
import { openStore } from '#store/store.ts'
import { createDatabase } from '../helpers/database.ts'

const began = 1_700_000_000
const key = Buffer.alloc(32, 1)

/** The step as several processes have it, on one database. */
async function buildStep(t: ExecutionContext, processes = 1) {
  const clock = { at: began }
  const now = () => clock.at * 1000
  const where = await createDatabase(t)
  const stores = Array.from({ length: processes }, () => openStore(where))
  t.teardown(() => Promise.all(stores.map((store) => store.close())))
  await stores[0]?.migrate()
  const steps = stores.map((store) =>
    openCaptcha({
      proofOfWork: openProofOfWork({ key, now }),
      counters: openCounters({ store, now, key }),
      codeKey: key,
    }),
  )
  const visit = (changes: Partial<Visit<'captcha'>> = {}): Visit<'captcha'> => ({
    step: { id: 'robot', type: 'captcha' },
    // Another one at each visit, as on the first page.
    application: crypto.randomUUID(),
    browser: 'browser 1',
    facts: {},
    vouched: {},
    applicant: {},
    accepted: [],
    before: {},
    memory: {},
    language: 'zh-TW',
    at: clock.at,
    address: '192.0.2.7',
    source: { name: '192.0.2.7', factor: 1 },
    ...changes,
  })
  const [step] = steps
  if (!step) throw new Error('no process')
  const page = async (changes?: Partial<Visit<'captcha'>>) => {
    const { locals } = await step.show(visit(changes))
    return { challenge: String(locals.challenge), ticket: String(locals.ticket) }
  }
  const send = (fields: Record<string, string>, changes?: Partial<Visit<'captcha'>>, by = step) =>
    by.submit(visit(changes), { fields, files: {} })
  return { clock, steps, step, visit, page, send }
}

/** What a browser does. */
const work = (challenge: string): Promise<string> => solve(JSON.parse(challenge))

const again = (problem: Message): Outcome => ({
  kind: 'again',
  problems: [{ field: 'proof', problem }],
})

test('who let the browser work goes on, also on the first page, and is not asked again', async (t) => {
  const { page, send, step, visit } = await buildStep(t)
  const { challenge, ticket } = await page()
  const outcome = await send({ proof: await work(challenge), ticket })
  t.deepEqual(outcome, { kind: 'done', memory: { passed: true } })
  const back = { memory: { passed: true } }
  t.deepEqual(step.known?.(visit(back)), { facts: {} })
  t.deepEqual(await step.show(visit(back)), { locals: { passed: true } })
  t.like(await send({}, back), { kind: 'done' })
})

test('work counts once, in whichever process it is shown', async (t) => {
  const { page, send, steps } = await buildStep(t, 2)
  const proof = await work((await page()).challenge)
  const ten = Array.from({ length: 10 }, (_, i) => send({ proof }, {}, steps[i % 2]))
  const outcomes = await Promise.all(ten)
  t.is(outcomes.filter(({ kind }) => kind === 'done').length, 1)
  const others = outcomes.filter(({ kind }) => kind === 'again')
  for (const one of others) t.deepEqual(one, again('joining.captcha.used'))
})

test('another browser’s work, another step’s, none and nonsense do not count', async (t) => {
  const { page, send } = await buildStep(t)
  const proof = await work((await page()).challenge)
  const wrong = again('joining.captcha.wrong')
  t.deepEqual(await send({ proof }, { browser: 'browser 2' }), wrong)
  t.deepEqual(await send({ proof }, { step: { id: 'other', type: 'captcha' } }), wrong)
  const nothing: Record<string, string>[] = [
    {},
    { proof: 'x' },
    { proof: '', ticket: '' },
    { ticket: 'x' },
  ]
  for (const fields of nothing) {
    t.deepEqual(await send(fields), wrong)
  }
  t.like(await send({ proof }), { kind: 'done' }, 'and nothing of that spent it')
})

test('work of an hour ago has expired, and says so', async (t) => {
  const { clock, page, send } = await buildStep(t)
  const proof = await work((await page()).challenge)
  clock.at += 3600
  t.deepEqual(await send({ proof }), again('joining.captcha.expired'))
})

test('without JavaScript who waits gets in: not sooner, not with the same page twice', async (t) => {
  const { clock, page, send } = await buildStep(t)
  const { ticket } = await page()
  clock.at += 5
  const wait = { key: 'joining.captcha.wait', params: { seconds: 15 } }
  t.deepEqual(await send({ proof: '', ticket }), again(wait))
  clock.at += 15
  const [since, signature] = ticket.split('.')
  const older = { ticket: `${Number(since) - 60}.${signature}` }
  t.deepEqual(await send(older), again('joining.captcha.wrong'))
  const elsewhere = await send({ ticket }, { browser: 'browser 2' })
  t.deepEqual(elsewhere, again('joining.captcha.wrong'))
  t.like(await send({ ticket }), { kind: 'done' })
  t.deepEqual(await send({ ticket }), again('joining.captcha.used'))
  const late = await page()
  clock.at += 3600
  t.deepEqual(await send(late), again('joining.captcha.expired'))
})

test('three an hour get in by waiting from one address, and more where many share it', async (t) => {
  const { clock, page, send } = await buildStep(t)
  const comeIn = async (browser: string, factor: number) => {
    const tickets = await page({ browser })
    clock.at += 20
    const source = { name: `address ${factor}`, factor }
    return send({ ticket: tickets.ticket }, { browser, source })
  }
  for (const browser of ['a', 'b', 'c']) t.like(await comeIn(browser, 1), { kind: 'done' })
  const fourth = await comeIn('d', 1)
  const tooMany = { key: 'joining.captcha.too-many', params: { minutes: 59 } }
  t.like(fourth, again(tooMany))
  t.is(fourth.kind === 'again' && fourth.waitSeconds, 3600 - 60)
  for (const browser of ['e', 'f', 'g', 'h']) t.like(await comeIn(browser, 50), { kind: 'done' })
  const { challenge } = await page({ browser: 'd' })
  t.like(await send({ proof: await work(challenge) }, { browser: 'd' }), { kind: 'done' })
  clock.at += 3600
  t.like(await comeIn('i', 1), { kind: 'done' }, 'after the hour')
})

test('nothing on the page tells whose browser it is for', async (t) => {
  const { page } = await buildStep(t)
  const { challenge, ticket } = await page({ browser: 'secret-browser' })
  t.notRegex(challenge + ticket, /secret-browser/)
})
