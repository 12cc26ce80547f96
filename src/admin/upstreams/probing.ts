/** Asks an upstream now whether somebody could sign in there. */
import { UpstreamError } from '#errors.ts'
import { within } from '#lib/within.ts'
import type { AdminPorts } from '../ports.ts'
import type { Probed } from './shapes.ts'

/** Milliseconds, as long as the probe of every minute waits. */
const patienceMs = 15_000

/**
 * Undefined where it has no credentials. For an upstream people may use today the answer counts like that of every probe;
 * for others it changes nothing.
 */
export async function probeNow(
  { upstreams, upstreamHealth, now }: Pick<AdminPorts, 'upstreams' | 'upstreamHealth' | 'now'>,
  id: string,
): Promise<Probed | undefined> {
  const counted = upstreams.today.get(id)
  const connector = counted ?? upstreams.opened.get(id)
  if (!connector) return undefined
  await upstreamHealth.look()
  const began = now()
  let said: Pick<Probed, 'answers' | 'failure' | 'why'> | undefined
  let bug: unknown
  const asked = connector.probe().then(
    () => {
      said = { answers: true }
    },
    (error: unknown) => {
      if (error instanceof UpstreamError) said = { answers: false, ...faultOf(error) }
      else bug = error
    },
  )
  if (!(await within(patienceMs, asked))) {
    said = { answers: false, failure: 'slow', why: `${id}: no answer within 15 seconds` }
    if (counted) upstreamHealth.hear(id, { kind: 'failed', failure: 'slow' }, began)
  }
  if (!said) throw bug
  if (counted) await upstreamHealth.note(id)
  return { ...said, took: Math.max(0, Math.round(now() - began)) }
}

const faultOf = (error: UpstreamError) => ({
  failure: error.failure,
  why: `${error.message}${causeOf(error)}`,
})

/** What the network said, where that is what failed. */
function causeOf(error: Error): string {
  let deepest: unknown = error
  while (deepest instanceof Error && deepest.cause) deepest = deepest.cause
  const code = deepest instanceof Error && 'code' in deepest ? String(deepest.code) : ''
  return code ? ` (${code})` : ''
}
