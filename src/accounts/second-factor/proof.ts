/** Somebody shows her second factor: whether it is hers, and that nobody shows the same once more. */
import type { FactorRow, Tables } from '#store/store.ts'
import { type PasskeyPorts, readPasskey } from './passkeys.ts'
import { recoveryDigest } from './recovery-codes.ts'
import { openTotp, stepOf } from './totp.ts'

export type FactorProof =
  | { way: 'totp'; code: string }
  | { way: 'recovery-code'; code: string }
  /** `response`: what the browser said, as JSON; in this browser it was asked. */
  | { way: 'passkey'; response: string; device: string }

export type Checked =
  /** `why`: for the log. */
  | { kind: 'wrong'; why?: string }
  | {
      kind: 'right'
      /** What she showed, as RFC 8176 calls it. */
      amr: 'otp' | 'hwk' | 'swk'
      /** Uses it up: true for exactly one caller, however many race. Call it inside a transaction. */
      use(tables: Pick<Tables, 'secondFactors' | 'recoveryCodes' | 'usedOnce'>): Promise<boolean>
    }

/** Looks at it; nothing is changed. */
export async function checkFactor(
  { secondFactors }: Pick<Tables, 'secondFactors'>,
  accountId: string,
  proof: FactorProof,
  ports: PasskeyPorts & { at: number },
): Promise<Checked> {
  const { at, dataKey } = ports
  const factors = await secondFactors.ofAccount(accountId)
  // Codes alone are no factor: they stand in for one.
  if (factors.length === 0) return { kind: 'wrong' }
  switch (proof.way) {
    case 'totp':
      return checkTotp(factors, proof.code, ports)
    case 'recovery-code': {
      const digest = recoveryDigest(dataKey, accountId, proof.code)
      const use: Use = ({ recoveryCodes }) => recoveryCodes.use(accountId, digest, at)
      return { kind: 'right', amr: 'otp', use }
    }
    case 'passkey': {
      const whom = { accountId, device: proof.device, factors }
      const read = await readPasskey(whom, proof.response, at, ports)
      if ('refused' in read) return { kind: 'wrong', why: read.refused }
      const { factor, counter, synced, signed } = read
      const use: Use = async ({ usedOnce, secondFactors }) =>
        (await usedOnce.use(signed.id, signed.expiresAt)) &&
        (await secondFactors.useCounter(factor.id, factor.counter, counter, at))
      return { kind: 'right', amr: synced ? 'swk' : 'hwk', use }
    }
  }
}

type Use = (Checked & { kind: 'right' })['use']

async function checkTotp(
  factors: FactorRow[],
  code: string,
  { at, dataKey }: { at: number; dataKey: Buffer },
): Promise<Checked> {
  for (const one of factors.filter(({ type }) => type === 'totp')) {
    const step = await stepOf(openTotp(dataKey, one), code, at)
    if (step === undefined) continue
    const use: Use = ({ secondFactors }) => secondFactors.useStep(one.id, step, at)
    return { kind: 'right', amr: 'otp', use }
  }
  return { kind: 'wrong' }
}
