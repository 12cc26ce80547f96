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

const error = (failure: UpstreamFailure, status?: number) =>
  new UpstreamError('tn', failure, 'said', { status })

test('nobody can close a county’s gate by what her browser brings back', (t) => {
  for (const failure of ['refused', 'forged', 'nonsense'] as const) {
    t.is(blameOf('complete', error(failure)), undefined, failure)
  }
  t.is(blameOf('complete', error('unreachable', 500)), undefined, 'a made-up code made it crash')
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
