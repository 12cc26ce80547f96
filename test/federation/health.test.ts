/** How an upstream fares, told from outcomes: a clock that stands still, and no upstream at all. */
import test from 'ava'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import {
  blameOf,
  type Health,
  healthRules,
  hear,
  type Outcome,
  unheard,
} from '#federation/health.ts'

const start = Date.UTC(2031, 7, 1)
const ok = (ms = 200): Outcome => ({ kind: 'ok', ms })
const failed = (failure: UpstreamFailure = 'unreachable'): Outcome => ({ kind: 'failed', failure })

/** One outcome after the other, so many milliseconds apart. */
const after = (outcomes: Outcome[], everyMs = 1_000, health: Health = unheard(start)) =>
  outcomes.reduce(
    (before, outcome, index) => hear(before, outcome, start + (index + 1) * everyMs),
    health,
  )

test('three failures in a row are an outage, two are not', (t) => {
  t.is(after([failed(), failed()]).state, 'ok')
  t.like(after([ok(), failed(), failed('slow'), failed()]), {
    state: 'down',
    since: start + 4_000,
    failure: 'unreachable',
  })
  t.is(after([failed(), failed(), ok(), failed(), failed()]).state, 'ok')
})

test('failures far apart are not one outage', (t) => {
  t.is(after([failed(), failed(), failed()], healthRules.windowMs / 2).state, 'ok')
  t.is(after([failed(), failed(), failed()], healthRules.windowMs / 2 - 1).state, 'down')
})

test('an upstream that fails more than half of those who come is down, though it never fails three in a row', (t) => {
  const some = [failed(), ok(), failed()]
  const many = [...some, ...some, ...some, ok(), failed()]
  t.is(after(many).state, 'down')
  t.is(after(many.slice(0, 9)).state, 'ok', 'too few to say')
  const half = Array.from({ length: 20 }, (_, index) => (index % 2 ? failed() : ok()))
  t.is(after(half).state, 'ok', 'half of them is not more')
})

test('one success closes, and the failures before it are forgotten', (t) => {
  const down = after([failed(), failed(), failed()])
  const back = hear(down, ok(), start + 20_000)
  t.like(back, { state: 'ok', since: start + 20_000, took: 200 })
  t.is(back.failure, undefined)
  t.is(hear(back, failed(), start + 21_000).state, 'ok')
  const again = hear(hear(back, failed(), start + 21_000), failed(), start + 22_000)
  t.is(again.state, 'ok')
  t.is(hear(again, failed(), start + 23_000).state, 'down')
})

test('while it is down it stays so at each failure, since the first', (t) => {
  const down = after([failed(), failed(), failed()])
  const later = hear(down, failed('slow'), start + 600_000)
  t.like(later, { state: 'down', since: down.since, failure: 'slow' })
})

test('who called while it was down and hears so only now does not close the gate again', (t) => {
  const back = hear(after([failed(), failed(), failed()]), ok(), start + 20_000)
  let late = back
  for (let i = 0; i < 5; i++) late = hear(late, failed('slow'), start + 22_000, start + 17_000)
  t.is(late.state, 'ok')
})

test('twelve who hang at the same time are an outage, not twelve who came too early', (t) => {
  let health = unheard(start)
  for (let i = 0; i < 12; i++) health = hear(health, failed('slow'), start + 5_000 + i, start + i)
  t.is(health.state, 'down')
})

test('two slow answers of three make it slow, and it stays open; two quick ones make it quick', (t) => {
  const slow = ok(healthRules.slowMs + 1)
  t.is(after([slow]).state, 'ok')
  const ailing = after([slow, ok(), slow])
  t.like(ailing, { state: 'slow', since: start + 3_000 })
  const better = hear(ailing, ok(), start + 4_000)
  t.is(better.state, 'ok')
  t.is(after([failed('slow'), failed('slow')]).state, 'slow', 'no answer in time is slow as well')
  t.is(after([slow, slow, failed(), failed(), failed()]).state, 'down')
})

const returned = (outcome: Outcome): Outcome => ({ ...outcome, returned: true })
const thrice = (outcome: Outcome) => [outcome, outcome, outcome]

test('it answers us and fails who comes back, twice: then only somebody who comes back well opens it', (t) => {
  const once = after(thrice(returned(failed('slow'))))
  t.like(once, { state: 'down' })
  const reopened = hear(once, ok(), start + 10_000)
  t.is(reopened.state, 'ok', 'the first time our call is believed')
  const step = (health: Health, outcome: Outcome, seconds: number) =>
    hear(health, outcome, start + seconds * 1_000)
  const [slow] = thrice(returned(failed('slow')))
  const again = [20, 21, 22].reduce((health, at) => step(health, slow ?? ok(), at), reopened)
  t.like(again, { state: 'down', relapsed: true })
  const held = step(again, ok(), 60)
  t.like(held, { state: 'down', since: start + 22_000, at: start + 60_000, failure: 'slow' })
  t.like(step(held, returned(ok()), 61), { state: 'ok', relapsed: undefined })
  const bound = 22 + healthRules.relapseMs / 1000
  t.is(step(held, ok(), bound - 1).state, 'down')
  t.is(step(held, ok(), bound).state, 'ok', 'nobody may come')
  t.is(step(held, returned(failed()), bound - 1).since, held.since, 'nobody can keep it closed')
})

test('who fails our own calls after it was back, or those who come back long after, has not relapsed', (t) => {
  const back = hear(after(thrice(failed())), ok(), start + 10_000)
  const anew = (outcome: Outcome, at: number) =>
    thrice(outcome).reduce((health, one) => hear(health, one, at), back)
  t.like(anew(failed(), start + 20_000), { state: 'down', relapsed: undefined })
  const later = start + 10_000 + healthRules.relapseMs
  t.like(anew(returned(failed()), later), { state: 'down', relapsed: undefined })
})

test('a clock that was put back excuses no failure, and holds no gate', (t) => {
  const back = hear(after(thrice(failed())), ok(), start + 10_000)
  const earlier = start - 3_600_000
  const down = thrice(returned(failed())).reduce((health, one) => hear(health, one, earlier), back)
  t.is(down.state, 'down')
  const relapsed = thrice(returned(failed())).reduce(
    (health, one) => hear(health, one, start + 11_000),
    back,
  )
  t.is(hear(relapsed, ok(), earlier).state, 'ok')
})

const error = (failure: UpstreamFailure, status?: number) =>
  new UpstreamError('tn', failure, 'said', { status })

test('nobody can close a county’s gate by what her browser brings back', (t) => {
  for (const failure of ['refused', 'forged', 'nonsense'] as const) {
    t.is(blameOf('complete', error(failure)), undefined, failure)
  }
  t.is(blameOf('complete', error('unreachable', 500)), undefined, 'a made-up code made it crash')
  t.is(blameOf('complete', error('unreachable', 429)), undefined, 'many made-up codes')
  t.is(blameOf('complete', new TypeError('ours')), undefined)
})

test('what nobody brought is the upstream’s: no answer, a gateway’s word, a probe that finds nonsense', (t) => {
  t.is(blameOf('complete', error('unreachable')), 'unreachable')
  t.is(blameOf('complete', error('unreachable', 503)), 'unreachable')
  t.is(blameOf('complete', error('slow')), 'slow')
  for (const purpose of ['probe', 'begin'] as const) {
    for (const failure of ['unreachable', 'slow', 'nonsense', 'forged'] as const) {
      t.is(blameOf(purpose, error(failure, 500)), failure, `${purpose} ${failure}`)
    }
    t.is(blameOf(purpose, error('refused')), undefined)
    t.is(blameOf(purpose, new TypeError('ours')), undefined)
  }
})
