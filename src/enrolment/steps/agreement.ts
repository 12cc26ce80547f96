/** What one has to agree to before anything else: the terms in force, word for word. */
import type { Step } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

export function openAgreement({ terms }: Pick<StepPorts, 'terms'>): Step<'agreement'> {
  return {
    show({ step, language, at }) {
      const { id, version, texts } = terms.inForce(step.terms, at)
      return { locals: { terms: { id, version, ...texts[language] } }, scripts: ['terms.js'] }
    },
    async submit({ step, language, at, address }, { fields }) {
      if (fields.decision === 'disagree') return { kind: 'left' }
      const { id, version, texts } = terms.inForce(step.terms, at)
      const shown = Object.entries(texts).find(([, { hash }]) => hash === fields.hash)
      // Somebody read another text than the one in force: she sees this one first.
      if (!shown) return { kind: 'again', problems: [{ problem: 'joining.agreement.changed' }] }
      if (fields.agree !== 'yes')
        return { kind: 'again', problems: [{ field: 'agree', problem: 'joining.agreement.tick' }] }
      const [read = language, { hash }] = shown
      return {
        kind: 'done',
        accepted: [{ terms: id, version, language: read, hash, at, address }],
      }
    },
  }
}
