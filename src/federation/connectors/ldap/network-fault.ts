/** What broke on the way to a directory, in words an operator can act on. */
import { Fault } from '../../calls/fault.ts'

/** Node's and OpenSSL's codes of a certificate that was not accepted, in our words. */
const certificates: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name it in ca_env',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody we know signed its certificate: name the CA in ca_env',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody we know signed its certificate: name the CA in ca_env',
  UNABLE_TO_GET_ISSUER_CERT: 'nobody we know signed its certificate: name the CA in ca_env',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody we know signed its certificate: name the CA in ca_env',
}

export function networkFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const message = certificates[code] ?? (code ? `could not be reached (${code})` : undefined)
  return new Fault('unreachable', message ?? 'could not be reached', { cause: error })
}
