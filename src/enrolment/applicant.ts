/** Who applies, as the account would know her. */
import type { EnrolmentRules } from '#config/enrolment.ts'
import { isMailAddress } from '#lib/mail.ts'
import type { Facts } from './step.ts'

export type Applicant = {
  name?: string
  /** What she would sign in with. */
  account?: string
  /** Where she reads mail: not the mailbox that is only made with the account. */
  mail?: string
}

export function applicantOf({ creates }: EnrolmentRules, facts: Facts): Applicant {
  const firstOf = (names: (string | undefined)[], fits = (_: string) => true) =>
    names
      .map((name) => (name === undefined ? undefined : facts[name]))
      .find((value): value is string => typeof value === 'string' && value !== '' && fits(value))
  const { name: claim = [], nickname = [] } = creates.profile
  const name = firstOf([claim, nickname].flat())
  const account = firstOf(creates.identifiers.map(({ fact }) => fact))
  const read = creates.identifiers.filter(
    ({ type, verified }) => type === 'email' && !(verified === true),
  )
  const mail = firstOf([...read.map(({ fact }) => fact), creates.recovery_address], isMailAddress)
  return {
    ...(name ? { name } : {}),
    ...(account ? { account } : {}),
    ...(mail ? { mail } : {}),
  }
}
