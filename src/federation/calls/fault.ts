/** What went wrong on the way to an identity, before it is known as an UpstreamError. */
import { errors } from 'jose'
import { type ClientError, ResponseBodyError } from 'openid-client'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'

/** A failure already judged. Its message is for the log: no token, code or personal data. */
export class Fault extends Error {
  override name = 'Fault'
  readonly failure: UpstreamFailure
  /** The HTTP status it answered with, where that is what failed. */
  readonly status: number | undefined

  constructor(
    failure: UpstreamFailure,
    message: string,
    options?: { cause?: unknown; status?: number | undefined },
  ) {
    super(message, options)
    this.failure = failure
    this.status = options?.status
  }
}

/** Runs one stage of a sign-in: whatever fails in it comes out as an UpstreamError that names the stage. */
export async function during<T>(
  connector: string,
  stage: string,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { failure, message, status } = judge(error)
    throw new UpstreamError(connector, failure, `${stage}: ${message}`, {
      cause: error,
      status,
      stage,
    })
  }
}

type Judgement = { failure: UpstreamFailure; message: string; status?: number | undefined }

function judge(error: unknown): Judgement {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof Fault) return at
    if (at instanceof ResponseBodyError) return oauthError(at.error, at.status)
    if (at instanceof errors.JOSEError) return judgeJose(at)
  }
  return judgeClient(error)
}

/** An OAuth error from the token endpoint (RFC 6749 §5.2): mostly our registration or a used code, not the person. */
export function oauthError(error: string, status: number): Judgement {
  const message = `error=${errorCode(error)}`
  if (error === 'access_denied') return { failure: 'refused', message }
  const busy = error === 'server_error' || error === 'temporarily_unavailable'
  return { failure: busy ? 'unreachable' : 'nonsense', message, status }
}

const forgedJose = [
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JWKSNoMatchingKey,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
]

function judgeJose(error: errors.JOSEError): Judgement {
  const forged = forgedJose.some((kind) => error instanceof kind)
  const claim = 'claim' in error ? ` ${error.claim}` : ''
  return { failure: forged ? 'forged' : 'nonsense', message: error.code + claim }
}

const forgedClaim = ['OAUTH_JWT_CLAIM_COMPARISON_FAILED', 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED']

/** openid-client has one code for a bad algorithm, a missing nonce and plain nonsense; its cause tells them apart. */
function judgeClient(error: unknown): Judgement {
  if (!isClientError(error)) {
    return { failure: 'nonsense', message: error instanceof Error ? error.name : 'unknown error' }
  }
  const detail = innermost(error)
  const claim = 'claim' in detail ? ` ${detail.claim}` : ''
  const badAlgorithm = 'header' in detail && 'reason' in detail
  const noNonce = 'claims' in detail && isObject(detail.claims) && detail.claims.nonce === undefined
  const forged = forgedClaim.includes(error.code) || badAlgorithm || noNonce
  return { failure: forged ? 'forged' : 'nonsense', message: error.code + claim }
}

function isClientError(error: unknown): error is ClientError & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

/** The plain object at the end of the chain of causes. */
function innermost(error: Error): Record<string, unknown> {
  let at: unknown = error
  while (at instanceof Error) at = at.cause
  return isObject(at) ? at : {}
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** An `error` parameter fit for the log: anybody can write anything into a callback URL. */
export function errorCode(code: string): string {
  return /^[a-z_]{1,64}$/.test(code) ? code : '(not an OAuth error code)'
}
