/** She has two accounts here and makes them one: what will happen, how she shows that the other is hers, her word. */
import { listApps } from '#account/apps.ts'
import { joinAccounts } from '#account/merge.ts'
import { type ActingHere, findProposal, proveByPassword } from '#account/merge-proof.ts'
import { listAffiliations } from '#accounts/affiliations.ts'
import { numberKeyOf } from '#accounts/personal-numbers.ts'
import { maskName } from '#lib/mask.ts'
import { afterWait, type Message } from '#lib/messages.ts'
import type { AccountRow } from '#store/store.ts'
import type { MergeSide } from '../../account-views.ts'
import { formSources } from '../../app-of.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { Problem } from '../../problem.ts'
import { tryFrom } from '../../try-from.ts'
import { schoolLabel } from '../labels.ts'
import { gatesOf } from '../upstream-words.ts'
import { namesOfApps } from './app-names.ts'
import { connectorLabel, dateOf } from './labels.ts'
import { openLinkTrips } from './link-trips.ts'
import { type Member, type MemberRoutes, toAccount } from './members.ts'

const path = '/account/merge'
const confirmPath = `${path}/confirm`

export function mergeRoutes(members: MemberRoutes, house: House): void {
  const { show, act, page, done, doneAlone, bothIfHers } = members
  // The other account's ways in are hers from then on.
  const fresh = { fresh: true, both: bothIfHers }
  const { store, config, keys, passwords, limits, trips, now, writeLetter } = house
  const linking = openLinkTrips(house)
  const { domain } = config.site.local_accounts
  const here = (ctx: Context, { acting }: Member): ActingHere => ({
    ...acting,
    device: ctx.state.device ?? '',
  })

  type More = {
    account?: string
    problem?: Message | undefined
    countyProblem?: Message | undefined
    status?: number
    waitSeconds?: number
  }
  function showMerge(ctx: Context, member: Member, more: More = {}) {
    const { account = '', problem, countyProblem, ...how } = more
    const locals = {
      account,
      problem,
      countyProblem,
      connectors: gatesOf(house, ctx.state.language),
      actions: { password: `${path}/password`, county: `${path}/county` },
    }
    const formAction = formSources(trips.connectors, undefined)
    page(ctx, member, 'account-merge', locals, { ...how, formAction })
  }

  show('account.merge', path, (ctx, member) => showMerge(ctx, member), fresh)

  act(
    'account.merge.password',
    `${path}/password`,
    path,
    async (ctx, member, { account = '', password = '' }) => {
      const { waitingPassword } = house.enrolments
      const proved = await proveByPassword(
        store,
        here(ctx, member),
        { account, password },
        {
          now,
          passwords,
          domain,
          waitingPassword,
          dataKey: keys.data,
          limits: limits.signIn,
          from: tryFrom(house, ctx),
        },
      )
      const again = (problem: Message, how: Omit<More, 'account' | 'problem'> = {}) =>
        showMerge(ctx, member, { account, problem, status: 422, ...how })
      switch (proved.kind) {
        case 'proved':
          return house.answer.redirect(ctx, confirmPath)
        case 'empty':
          return again('sign-in.empty')
        case 'same':
        case 'not-active':
        case 'protected':
          return again(`account.merge.${proved.kind}`)
        case 'wrong': {
          const { waitSeconds } = proved
          if (waitSeconds === 0) return again('account.merge.wrong')
          return again(afterWait('account.merge.wrong-wait', waitSeconds), { waitSeconds })
        }
        case 'held': {
          const { waitSeconds, because } = proved
          limits.refused(ctx, 'password', because)
          const problem = afterWait('account.merge.held', waitSeconds)
          return again(problem, { waitSeconds, status: 429 })
        }
      }
    },
    fresh,
  )

  act(
    'account.merge.county',
    `${path}/county`,
    path,
    async (ctx, member, { connector = '' }) => {
      const countyProblem = await linking.begin(ctx, member, connector, { merge: true })
      if (countyProblem) showMerge(ctx, member, { countyProblem, status: 422 })
    },
    fresh,
  )

  /** As much of an account as she needs to know it again. */
  async function sideOf(ctx: Context, account: AccountRow): Promise<MergeSide> {
    const lang = ctx.state.language
    const { id, createdAt, profile } = account
    const [names, identities, affiliations, password] = await Promise.all([
      store.identifiers.ofAccount(id),
      store.identities.ofAccount(id),
      listAffiliations(store, id, house.schoolYear),
      store.credentials.findPassword(id),
    ])
    return {
      name: profile.name ? maskName(profile.name.value) : '',
      names: names.map(({ value }) => maskName(value)),
      counties: identities.map(({ connector }) => connectorLabel(house, lang, connector)),
      schools: affiliations.map((one) => schoolLabel(house, lang, one)),
      createdAt: dateOf(createdAt),
      password: password !== undefined && names.length > 0,
      sub: id,
    }
  }

  const proofs = { dataKey: keys.data, connectors: trips.connectors }
  const find = (ctx: Context, member: Member) => findProposal(store, here(ctx, member), proofs)

  show(
    'account.merge.confirm',
    confirmPath,
    async (ctx, member) => {
      const proposal = await find(ctx, member)
      if (!proposal) return done(ctx, path, 'merge-over')
      const { other } = proposal
      const [kept, merged, apps] = await Promise.all([
        sideOf(ctx, member.account),
        sideOf(ctx, other),
        listApps(store, other.id, member.acting.at),
      ])
      const ids = apps.map(({ clientId }) => clientId)
      const nameOf = await namesOfApps(house, ctx.state.language, ids)
      page(ctx, member, 'account-merge-confirm', {
        merge: proposal.id,
        kept,
        merged,
        apps: ids.map(nameOf),
        action: confirmPath,
      })
    },
    fresh,
  )

  act(
    'account.merge.join',
    confirmPath,
    confirmPath,
    async (ctx, member, { merge = '' }) => {
      const numberKey = numberKeyOf(keys.data)
      const ports = { ...proofs, numberKey, writeLetter }
      const joined = await joinAccounts(store, here(ctx, member), merge, ports)
      if (joined.kind === 'over') throw over()
      await doneAlone(ctx, '/account/identities', 'merged')
    },
    fresh,
  )
}

const over = () =>
  new Problem(409, 'account.merge-over', {
    next: [
      { ...toAccount, id: 'back', href: path, labelKey: 'next.prove-merge', primary: true },
      toAccount,
    ],
  })
