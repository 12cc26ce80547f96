/** Signatures and encryption are node-saml's. What it gives is what was signed. */
import type { SAML, SamlConfig } from '@node-saml/node-saml'
import { Fault } from '../../calls/fault.ts'

export type Verifying = {
  /** PEM, of the upstream's keys. */
  certificates: string[]
  ownEntityId: string
  /** Our address the message came to. */
  address: string
  /** PEM. */
  privateKey: string
}

/** A signature held by none of the keys we know: there may be newer ones. */
export class UnknownSignature extends Fault {
  override name = 'UnknownSignature'

  constructor() {
    super('forged', 'its signature does not hold')
  }
}

/** The one assertion of a response that answers this request, from what the upstream signed. */
export async function verifiedAssertion(
  encoded: string,
  requestId: string,
  verifying: Verifying,
): Promise<string> {
  const { ValidateInResponseTo } = await import('@node-saml/node-saml')
  const asked = (id: string | null) => (id === requestId ? longFromNow : null)
  const saml = await open(verifying, {
    validateInResponseTo: ValidateInResponseTo.always,
    // The library remembers requests by time in its process; ours is in the trip, which expires with it.
    cacheProvider: {
      saveAsync: async () => null,
      getAsync: async (id) => asked(id),
      removeAsync: async (id) => asked(id),
    },
  })
  const { profile } = await holding(() => saml.validatePostResponseAsync({ SAMLResponse: encoded }))
  const assertion = profile?.getAssertionXml?.()
  if (!assertion) throw new Fault('nonsense', 'it holds no assertion')
  return assertion
}

/** A LogoutRequest or LogoutResponse that came as a form. */
export async function verifyLogout(
  kind: 'SAMLRequest' | 'SAMLResponse',
  encoded: string,
  verifying: Verifying,
): Promise<void> {
  const saml = await open(verifying)
  await holding(() =>
    kind === 'SAMLRequest'
      ? saml.validatePostRequestAsync({ SAMLRequest: encoded })
      : saml.validatePostResponseAsync({ SAMLResponse: encoded }),
  )
}

const longFromNow = '9999-12-31T23:59:59Z'

async function open(verifying: Verifying, more: Partial<SamlConfig> = {}): Promise<SAML> {
  const { SAML } = await import('@node-saml/node-saml')
  return new SAML({
    idpCert: verifying.certificates,
    issuer: verifying.ownEntityId,
    callbackUrl: verifying.address,
    decryptionPvk: verifying.privateKey,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: true,
    // It looks at the machine's clock, which is not the one we are lent: times and audience are checked in
    // assertion.ts, on what it gives.
    acceptedClockSkewMs: -1,
    audience: false,
    ...more,
  })
}

/** Without the library's words: they quote what came. */
async function holding<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    if (/^Invalid (document )?signature/i.test(said)) throw new UnknownSignature()
    if (/InResponseTo/.test(said)) throw new Fault('forged', 'it answers another request')
    throw new Fault('nonsense', 'what is signed cannot be opened or read')
  }
}
