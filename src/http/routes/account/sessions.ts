/** Where she is signed in, and how to end it there. */
import { endOtherSessions, endSession } from '#account/sessions.ts'
import { region } from '#lib/networks.ts'
import { describeAgent } from '#lib/user-agent.ts'
import { listSessions } from '#oidc/sessions.ts'
import type { House } from '../../house.ts'
import { namesOfApps } from './app-names.ts'
import { dateOf } from './labels.ts'
import { type MemberRoutes, notHers } from './members.ts'

const path = '/account/sessions'

export function sessionRoutes(
  { show, act, page, done, doneAlone }: MemberRoutes,
  house: House,
): void {
  const { store, config, keys } = house
  const ports = { dataKey: keys.data }

  show('account.sessions', path, async (ctx, member) => {
    const list = await listSessions(store, member.account.id, member.acting.at)
    const nameOf = await namesOfApps(
      house,
      ctx.state.language,
      list.flatMap((one) => one.clients),
    )
    const locals = {
      sessions: list.map((one) => ({
        uid: one.uid,
        current: one.uid === member.session.uid,
        agent: one.agent === undefined ? undefined : describeAgent(one.agent),
        network: one.address === undefined ? undefined : region(one.address),
        signedInAt: dateOf(one.signedInAt),
        lastSeenAt: one.lastSeenAt === undefined ? undefined : dateOf(one.lastSeenAt),
        wayKey:
          one.federated || one.acr === config.site.acr.upstream
            ? 'account.way.county'
            : 'account.way.password',
        both: one.acr === config.site.acr.two_factor,
        apps: [...new Set(one.clients.map(nameOf))],
      })),
      actions: { end: `${path}/end`, endOthers: `${path}/end-others` },
    }
    page(ctx, member, 'account-sessions', locals)
  })

  act('account.sessions.end', `${path}/end`, path, async (ctx, member, { session = '' }) => {
    if ((await endSession(store, member.acting, session, ports)) === 0) throw notHers(path)
    done(ctx, path, 'ended')
  })

  act('account.sessions.end-others', `${path}/end-others`, path, async (ctx, member) => {
    await endOtherSessions(store, member.acting, ports)
    await doneAlone(ctx, path, 'others-ended')
  })
}
