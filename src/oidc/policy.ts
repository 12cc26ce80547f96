/** When a person must be asked something: sign in, which account, which school, consent. */
import { type interactionPolicy, interactionPolicy as policy } from 'oidc-provider'
import { mustChooseAffiliation } from '#accounts/affiliations.ts'
import { type AgreementRules, findDueTerms } from '#accounts/agreements.ts'
import type { SchoolYear } from '#accounts/school-year.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { AccountRow, Store } from '#store/store.ts'
import { sessionBegan } from './sessions.ts'

const { base, Check, Prompt } = policy

/** What the provider's account carries of its row. */
export type OurAccount = Pick<AccountRow, 'agreed'>

export type PolicyRules = { year: SchoolYear; agreements: AgreementRules; now: Now }

/** The standard prompts plus our `agreement`, `select_account` (OpenID Connect Core §3.1.2.1) and our `affiliation`. */
export function openPolicy(
  store: Store,
  { year, agreements, now }: PolicyRules,
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
  prompts.add(agreement, 1)
  prompts.add(selectAccount, 2)
  prompts.add(affiliation, 3)
  for (const prompt of prompts) {
    const { details } = prompt
    // Whose browser began it: the interaction's pages answer to no other one.
    prompt.details = async (ctx) => ({ ...(await details(ctx)), device: ctx.state.device })
  }
  return prompts
}
