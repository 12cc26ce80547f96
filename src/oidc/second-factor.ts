/** Which requests want both factors, whatever else they ask for. */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { apiResource } from './api-resource.ts'

export type SecondFactorRules = {
  /** What a session that stands on both is called. */
  acr: string
  issuer: string
}

type Asking = KoaContextWithOIDC['oidc']
type AcrClaim = { essential?: unknown; value?: unknown; values?: unknown }

/** Whether she has to show her second factor for this request, as she is signed in now. */
export function lacksSecondFactor(oidc: Asking, { acr, issuer }: SecondFactorRules): boolean {
  const { session, client, params, prompts } = oidc
  if (!session?.accountId || session.acr === acr) return false
  return (
    client?.require_second_factor === true ||
    // Answered for one account, it does not count for another that is signed in to afterwards.
    prompts.has('second_factor') ||
    [params?.resource].flat().includes(apiResource(issuer)) ||
    wanted(oidc, acr)
  )
}

/** It names both factors, and nothing she is signed in by that would do as well. */
function wanted({ session, params }: Asking, acr: string): boolean {
  const { acr_values: listed, claims } = params ?? {}
  const essential = essentialAcrs(claims)
  if (essential.includes(acr) && !essential.includes(session?.acr)) return true
  // In the order of preference (OpenID Connect Core §3.1.2.1).
  const values = typeof listed === 'string' ? listed.split(' ') : []
  const place = values.indexOf(acr)
  return place >= 0 && !values.slice(0, place).includes(session?.acr ?? '')
}

/** What it insists on (OpenID Connect Core §5.5.1.1). The provider has looked at the claims' shape. */
function essentialAcrs(claims: unknown): unknown[] {
  if (typeof claims !== 'string') return []
  const acr: AcrClaim | null | undefined = JSON.parse(claims).id_token?.acr
  if (!acr?.essential) return []
  return Array.isArray(acr.values) ? acr.values : [acr.value]
}

/** Whether both factors would do for the `acr` it insists on: then it is no use to ask for the first one again. */
export const bothWouldDo = ({ params }: Asking, { acr }: SecondFactorRules): boolean =>
  essentialAcrs(params?.claims).includes(acr)
