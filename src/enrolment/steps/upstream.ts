/** Away to a county and back with its word for who she is. */
import { upstreamFactsOf } from '../identity-facts.ts'
import type { Step } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

export function openUpstream({ connectors }: Pick<StepPorts, 'connectors'>): Step<'upstream'> {
  const offered = (ids: 'all' | string[]) =>
    connectors.filter(({ id }) => ids === 'all' || ids.includes(id))

  return {
    // Who came in through an upstream has proven this already.
    known: ({ identity }) => (identity ? { facts: {} } : undefined),
    show({ step, before }) {
      const list = offered(step.connectors)
      return {
        locals: { connectors: list, chosen: before['upstream.connector'] },
        scripts: ['county-search.js'],
        formAction: list.flatMap(({ origins }) => origins),
      }
    },
    async submit({ step }, { fields }) {
      const chosen = offered(step.connectors).find(({ id }) => id === fields.connector)
      if (chosen?.connected) return { kind: 'upstream', connector: chosen.id }
      return { kind: 'again', problems: [{ field: 'connector', problem: 'sign-in.choose-county' }] }
    },
    async arrive(_, identity) {
      return { kind: 'done', ...upstreamFactsOf(identity) }
    },
    summary({ before }) {
      const county = connectors.find(({ id }) => id === before['upstream.connector'])
      return county ? [{ label: 'joining.upstream.summary', value: county.label }] : []
    },
  }
}
