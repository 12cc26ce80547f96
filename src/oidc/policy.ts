/** When a person must be asked something: sign in, which account, which school, consent. */
import { type interactionPolicy, interactionPolicy as policy } from 'oidc-provider'
import { mustChooseAffiliation } from '#accounts/affiliations.ts'
import { type AgreementRules, findDueTerms } from '#accounts/agreements.ts'
import type { SchoolYear } from '#accounts/school-year.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { AccountRow, Store } from '#store/store.ts'
import { bothWouldDo, lacksSecondFactor, type SecondFactorRules } from './second-factor.ts'
import { sessionBegan } from './sessions.ts'

const { base, Check, Prompt } = policy

/** What the provider's account carries of its row. */
export type OurAccount = Pick<AccountRow, 'agreed'>

export type PolicyRules = {
  year: SchoolYear
  agreements: AgreementRules
  secondFactor: SecondFactorRules
  now: Now
}

/**
 * The standard prompts plus our `second_factor`, `agreement`, `select_account` (OpenID Connect Core §3.1.2.1) and our
 * `affiliation`.
 */
export function openPolicy(
  store: Store,
  { year, agreements, secondFactor: twice, now }: PolicyRules,
): interactionPolicy.DefaultPolicy {
  const prompts = base()

  // Suspended or closed since: the session is worth nothing until somebody signs in anew.
  prompts
    .get('login')
    ?.checks.push(
      new Check(
        'account_unavailable',
        'the account is not available',
        'login_required',
        ({ oidc }) =>
          oidc.session?.accountId && !oidc.account ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    )

  // The first factor cannot give an app the `acr` of both: to sign in again would be a circle.
  for (const reason of ['essential_acr', 'essential_acrs']) {
    const essential = prompts.get('login')?.checks.get(reason)
    if (!essential) throw new Error('node-oidc-provider names its checks otherwise now')
    const { check } = essential
    essential.check = (ctx) => (bothWouldDo(ctx.oidc, twice) ? Check.NO_NEED_TO_PROMPT : check(ctx))
  }

  const secondFactor = new Prompt(
    { name: 'second_factor', requestable: true },
    new Check(
      'second_factor_missing',
      'the End-User must prove herself with a second factor',
      'interaction_required',
      ({ oidc }) =>
        lacksSecondFactor(oidc, twice) ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
  )

  const agreement = new Prompt(
    { name: 'agreement', requestable: false },
    new Check(
      'terms_not_agreed',
      'the End-User must agree to the terms in force',
      'interaction_required',
      ({ oidc: { account, session } }) => {
        if (!account || !session) return Check.NO_NEED_TO_PROMPT
        // Its row was read with the session.
        const due = findDueTerms(agreements, account as unknown as OurAccount, seconds(now))
        // Who is signed in since before it came into force is asked when she signs in the next time: nobody's work is
        // cut off at midnight.
        return due && sessionBegan(session) >= due.from
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT
      },
    ),
  )

  const selectAccount = new Prompt({ name: 'select_account', requestable: true })

  const affiliation = new Prompt(
    { name: 'affiliation', requestable: false },
    new Check(
      'affiliation_missing',
      'the End-User must choose the affiliation to act in',
      'interaction_required',
      async ({ oidc }) => {
        if (!oidc.account || !oidc.client || !oidc.requestParamScopes.has('eduinfo')) {
          return Check.NO_NEED_TO_PROMPT
        }
        const must = await mustChooseAffiliation(
          store,
          oidc.account.accountId,
          oidc.client.clientId,
          year,
        )
        return must ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT
      },
    ),
  )
  prompts.add(secondFactor, 1)
  prompts.add(agreement, 2)
  prompts.add(selectAccount, 3)
  prompts.add(affiliation, 4)
  for (const prompt of prompts) {
    const { details } = prompt
    // Whose browser began it: the interaction's pages answer to no other one.
    prompt.details = async (ctx) => ({ ...(await details(ctx)), device: ctx.state.device })
  }
  return prompts
}
