/** The county accounts she signs in with. */
import { listIdentities, unlinkIdentity } from '#account/identities.ts'
import type { Message } from '#lib/messages.ts'
import { formSources } from '../../app-of.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { gatesOf } from '../upstream-words.ts'
import { connectorLabel, dateOf } from './labels.ts'
import { openLinkTrips } from './link-trips.ts'
import { type Member, type MemberRoutes, notHers } from './members.ts'

const path = '/account/identities'

export function identityRoutes(
  { show, act, page, done, doneAlone, bothIfHers }: MemberRoutes,
  house: House,
): void {
  // Another way in opens the account without her second factor, wherever that is not asked for.
  const fresh = { fresh: true, both: bothIfHers }
  const { store, trips, writeLetter } = house
  const linking = openLinkTrips(house)
  const isConnected = (connector: string) => trips.connectors.has(connector)

  async function showIdentities(ctx: Context, member: Member, problem?: Message) {
    const lang = ctx.state.language
    const identities = await listIdentities(store, member.account.id, { isConnected })
    const locals = {
      identities: identities.map(({ id, connector, createdAt, readAt, last }) => ({
        id,
        label: connectorLabel(house, lang, connector),
        linkedAt: dateOf(createdAt),
        usedAt: dateOf(readAt),
        last,
      })),
      connectors: gatesOf(house, lang),
      problem,
      actions: { link: `${path}/link`, unlink: `${path}/unlink`, merge: '/account/merge' },
    }
    page(ctx, member, 'account-identities', locals, {
      status: problem ? 422 : 200,
      formAction: formSources(trips.connectors, undefined),
    })
  }

  show('account.identities', path, (ctx, member) => showIdentities(ctx, member), fresh)

  act(
    'account.identities.link',
    `${path}/link`,
    path,
    async (ctx, member, { connector = '' }) => {
      const problem = await linking.begin(ctx, member, connector)
      if (problem) await showIdentities(ctx, member, problem)
    },
    fresh,
  )

  act(
    'account.identities.unlink',
    `${path}/unlink`,
    path,
    async (ctx, member, { identity = '' }) => {
      const labelOf = (id: string) => connectorLabel(house, ctx.state.language, id)
      const ports = { writeLetter, labelOf, isConnected }
      const unlinked = await unlinkIdentity(store, member.acting, identity, ports)
      if (unlinked.kind === 'unknown') throw notHers(path)
      if (unlinked.kind === 'unlinked') return doneAlone(ctx, path, 'unlinked')
      done(ctx, path, unlinked.kind)
    },
    fresh,
  )
}
