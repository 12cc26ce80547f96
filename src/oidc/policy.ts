/** When a person must be asked something: sign in, which account, which school, consent. */
import { type interactionPolicy, interactionPolicy as policy } from 'oidc-provider'
import { mustChooseAffiliation } from '#accounts/affiliations.ts'
import type { Store } from '#store/store.ts'

const { base, Check, Prompt } = policy

/** The standard prompts plus `select_account` (OpenID Connect Core §3.1.2.1) and our `affiliation`. */
export function openPolicy(store: Store): interactionPolicy.DefaultPolicy {
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
        )
        return must ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT
      },
    ),
  )
  prompts.add(selectAccount, 1)
  prompts.add(affiliation, 2)
  for (const prompt of prompts) {
    const { details } = prompt
    // Whose browser began it: the interaction's pages answer to no other one.
    prompt.details = async (ctx) => ({ ...(await details(ctx)), device: ctx.state.device })
  }
  return prompts
}
