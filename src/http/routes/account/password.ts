/** Her password, changed or set for the first time. */
import { changePassword, type PasswordProblems } from '#account/password.ts'
import { shortest } from '#accounts/password-rules.ts'
import { afterWait } from '#lib/messages.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { tryFrom } from '../../try-from.ts'
import type { Member, MemberRoutes } from './members.ts'

const path = '/account/password'

export function passwordRoutes({ show, act, page, doneAlone }: MemberRoutes, house: House): void {
  const { store, passwords, judgePassword, limits, writeLetter } = house

  const hasPassword = async ({ account }: Member) =>
    (await store.credentials.findPassword(account.id)) !== undefined
  /** The old one proves that it is she; without one she signs in again. */
  const rules = { fresh: async (member: Member) => !(await hasPassword(member)) }

  type More = { problems?: PasswordProblems; status?: number; waitSeconds?: number }
  async function showPassword(ctx: Context, member: Member, { problems = {}, ...more }: More = {}) {
    const [names, known] = await Promise.all([
      store.identifiers.ofAccount(member.account.id),
      hasPassword(member),
    ])
    const locals = { account: names[0]?.value, known, shortest, problems, action: path }
    page(ctx, member, 'account-password', locals, more)
  }

  show('account.password', path, (ctx, member) => showPassword(ctx, member), rules)

  act(
    'account.password.change',
    path,
    path,
    async (ctx, member, { current = '', password = '', again = '' }) => {
      const change = await changePassword(
        store,
        member.acting,
        { current, password, again },
        {
          passwords,
          judgePassword,
          writeLetter,
          limits: limits.signIn,
          from: tryFrom(house, ctx),
        },
      )
      switch (change.kind) {
        case 'changed':
          return doneAlone(ctx, path, 'password')
        case 'again':
          return showPassword(ctx, member, { problems: change.problems, status: 422 })
        case 'wrong': {
          const { waitSeconds } = change
          const key = 'account.password.current-wrong'
          const problem = waitSeconds === 0 ? key : afterWait(`${key}-wait`, waitSeconds)
          return showPassword(ctx, member, {
            problems: { current: problem },
            status: 422,
            waitSeconds,
          })
        }
        case 'held': {
          const { waitSeconds, because } = change
          limits.refused(ctx, 'password', because)
          const problems = { current: afterWait('account.password.held', waitSeconds) }
          return showPassword(ctx, member, { problems, status: 429, waitSeconds })
        }
        case 'changed-meanwhile': {
          const problems = { current: 'account.password.changed-meanwhile' }
          return showPassword(ctx, member, { problems, status: 409 })
        }
        case 'no-name':
          return showPassword(ctx, member, { status: 422 })
      }
    },
    rules,
  )
}
