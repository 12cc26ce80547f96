/** What a sign-in goes through at an upstream, in its order: a test says how far it came. */
import type { ConnectorFile } from '#config/connector.ts'

/** In the connectors' own words. */
export function stagesOf(file: ConnectorFile): string[] {
  switch (file.type) {
    case 'oidc': {
      const { userinfo, claims_call: call } = file.settings
      return [
        'discovery',
        'authorization response',
        'token endpoint',
        'ID token',
        ...(userinfo ? ['userinfo'] : []),
        ...(call ? [call.claim] : []),
      ]
    }
    case 'oauth2':
      return [
        'authorization response',
        'token endpoint',
        ...file.settings.calls.map(({ claim }) => claim),
        'subject',
      ]
    case 'openid2':
      return ['discovery', 'answer', 'signature']
    case 'saml':
      return ['metadata', 'response', 'assertion']
    case 'ldap':
      return ['directory']
  }
}

export type Passed = { stage: string; is: 'passed' | 'failed' | 'not-reached' }

/** `failed.at`: the stage it came to an end at, if known; `failed` is undefined for one that went well. */
export function passedOf(
  stages: string[],
  failed: { at: string | undefined } | undefined,
): Passed[] {
  if (!failed) return stages.map((stage) => ({ stage, is: 'passed' }))
  const place = stages.indexOf(failed.at ?? '')
  const rest = stages.map((stage, i): Passed => {
    if (i < place) return { stage, is: 'passed' }
    return { stage, is: i === place ? 'failed' : 'not-reached' }
  })
  // It failed on the way out, or at a step that is not in the list.
  return place < 0 && failed.at !== undefined ? [{ stage: failed.at, is: 'failed' }, ...rest] : rest
}
