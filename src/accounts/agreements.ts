/** Which terms a person still has to agree to. */
import type { Terms, TermsVersion } from '#lib/terms.ts'
import type { AccountRow } from '#store/store.ts'

/** What everybody who signs in must have agreed to. */
export type AgreementRules = { terms: Pick<Terms, 'inForce'>; ids: readonly string[] }

/** The first terms in force whose version she has not agreed to, nor to a newer one. */
export function findDueTerms(
  { terms, ids }: AgreementRules,
  { agreed }: Pick<AccountRow, 'agreed'>,
  at: number,
): TermsVersion | undefined {
  return ids
    .map((id) => terms.inForce(id, at))
    .find(({ id, version, from }) => from <= at && (agreed[id] ?? '') < version)
}
