/** The key ring at the console: what signs, what comes next, what still verifies. */
import {
  type KeyShape,
  listKeyRing,
  revokeFromKeyRing,
  rotateKeyRing,
} from '#admin/operations/keys.ts'
import { day, seconds } from '#lib/time.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { problemOf, valueIn } from './console-problems.ts'
import { type Span, timelineOf } from './plots.ts'

const path = '/admin/keys'
const grave = { permission: 'keys.write', dangerous: true } as const
const page = () => path

/** The lines of keys that follow each other, by what is typed to replace one at once. */
const lines = {
  RS256: { purpose: 'signing', alg: 'RS256' },
  ES256: { purpose: 'signing', alg: 'ES256' },
  cookie: { purpose: 'cookie' },
} as const
type Line = keyof typeof lines
const isLine = (text: string): text is Line => Object.hasOwn(lines, text)

export function keyRoutes(console: Console, { config, now }: House): void {
  const { show, act, done } = console

  async function showRing(
    ctx: Context,
    staff: Staff,
    problems: { field: string; problem: string }[],
  ) {
    const { items: keys } = valueIn(await staff.perform(listKeyRing, {}), path)
    const { follow_seconds, jwks_max_age_seconds } = config.site.keys
    const locals = {
      keys,
      timeline: scheduleOf(keys, seconds(now)),
      mayWrite: staff.may('keys.write'),
      follow: follow_seconds,
      jwks: jwks_max_age_seconds,
    }
    console.page(ctx, staff, 'admin-keys', locals, { problems })
  }

  show(path, { permission: 'keys.read' }, (ctx, staff) => showRing(ctx, staff, []))

  act(`${path}/rotate`, { ...grave, page }, async (ctx, staff, { line = '' }) => {
    if (!isLine(line)) throw problemOf({ kind: 'unknown' }, path)
    const rotated = valueIn(await staff.perform(rotateKeyRing, lines[line]), path)
    const waits = rotated.items.every(({ isNew }) => !isNew)
    done(ctx, path, waits ? 'key-waits' : 'key-published')
  })

  act(`${path}/replace`, { ...grave, page }, async (ctx, staff, { line = '', confirm = '' }) => {
    if (!isLine(line)) throw problemOf({ kind: 'unknown' }, path)
    if (confirm.trim() !== line) return showRing(ctx, staff, mistyped(`replace-${line}`))
    valueIn(await staff.perform(rotateKeyRing, { ...lines[line], atOnce: true }), path)
    done(ctx, path, 'key-replaced')
  })

  act(`${path}/:kid/revoke`, { ...grave, page }, async (ctx, staff, { confirm = '' }) => {
    const { kid = '' } = ctx.params
    if (confirm.trim() !== kid) return showRing(ctx, staff, mistyped(`revoke-${kid}`))
    valueIn(await staff.perform(revokeFromKeyRing, { kid }), path)
    done(ctx, path, 'key-revoked')
  })
}

const mistyped = (id: string) => [{ field: `${id}-confirm`, problem: 'admin.problem.confirm' }]

const secondsOf = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Date.parse(time) / 1000

/** A month back and four ahead: a cookie key verifies for more than a year, which says nothing. */
function scheduleOf(keys: readonly KeyShape[], now: number) {
  const range = { from: now - 30 * day, until: now + 120 * day, now }
  const rows = keys
    .filter(({ state }) => state !== 'permanent')
    .map((key) => ({ label: key.kid, spans: spansOf(key, range.until) }))
  return timelineOf(rows, range)
}

function spansOf(key: KeyShape, end: number): Span[] {
  const published = secondsOf(key.publishedAt) ?? 0
  const signs = secondsOf(key.signsAt) ?? published
  const retires = secondsOf(key.retiresAt ?? key.successorSignsAt) ?? end
  const leaves = secondsOf(key.leavesAt) ?? end
  return [
    { kind: 'next', from: published, until: signs },
    { kind: 'signing', from: signs, until: retires },
    { kind: 'retired', from: retires, until: leaves },
  ]
}
