/** A sign-in to an app, run by staff: begun here, gone through like anybody's, and shown here with what it brought. */
import type { Settings } from '#admin/clients/schema.ts'
import { getClient } from '#admin/operations/clients.ts'
import { curl } from '#admin/snippets/curl.ts'
import { snippetAppOf } from '#admin/snippets.ts'
import { beginTry, finishTry, type Tried, tryScopes, whyUntried } from '#admin/trying.ts'
import { seconds } from '#lib/time.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { readQuery } from '../../input.ts'
import { Problem } from '../../problem.ts'
import type { Staff } from './admission.ts'
import { clientPath, clientsPath } from './client-page.ts'
import type { Console } from './console.ts'
import { problemOf, toConsole, valueIn } from './console-problems.ts'

const permission = 'clients.write'

export function clientTryRoutes({ show, act, page }: Console, house: House): void {
  const { store, config, answer, now } = house

  /** The app within her reach, as it is shown and as it is kept. */
  async function findApp(staff: Staff, id: string) {
    const { name, settings } = valueIn(await staff.perform(getClient, { id }), clientsPath)
    const row = await store.clients.find(id)
    if (!row) throw problemOf({ kind: 'unknown' }, clientsPath)
    return { row, client: { id, name, mayWrite: true }, settings: settings as Settings }
  }

  // Before the pages of one app: `try` is no app's id.
  show(`${clientsPath}/try`, { permission }, async (ctx, staff) => {
    const session = await house.provider.Session.get(ctx as never)
    const tried = await finishTry(
      house,
      { ...staff.by, at: seconds(now) },
      async (id) => {
        const found = await staff.perform(getClient, { id })
        return found.kind === 'done' ? store.clients.find(id) : undefined
      },
      {
        device: ctx.state.device ?? '',
        query: readQuery(ctx),
        state: ctx.state,
        grantOf: async (clientId) => session.grantIdFor(clientId),
      },
    )
    if (tried.kind === 'lost') throw lost()
    const { client } = await findApp(staff, tried.clientId)
    showTried(ctx, staff, client, tried)
  })

  function showTried(
    ctx: Context,
    staff: Staff,
    client: { id: string; name: string; mayWrite: boolean },
    tried: Exclude<Tried, { kind: 'lost' }>,
  ) {
    const request = Object.entries(tried.request).map(([name, value]) => ({
      name,
      value,
      key: `admin.try.param.${name}`,
    }))
    const again = `${clientPath(client.id)}/try`
    if (tried.kind === 'refused') {
      const { error, detail } = tried
      const locals = { client, request, refused: { error, detail }, again }
      return page(ctx, staff, 'admin-client-tried', locals)
    }
    const { tokens, idToken, userinfo, scopes, unasked } = tried
    const got = {
      tokens,
      header: JSON.stringify(idToken.header, null, 2),
      claims: Object.entries(idToken.claims).map(([name, value]) => ({
        name,
        value: typeof value === 'string' ? value : JSON.stringify(value),
      })),
      checks: idToken.checks.map(({ check, holds }) => ({
        key: `admin.try.check.${check}`,
        holds,
      })),
      userinfo: JSON.stringify(userinfo, null, 2),
      scopes,
      unasked,
    }
    page(ctx, staff, 'admin-client-tried', { client, request, got, again })
  }

  const tryPath = `${clientsPath}/:id/try`

  show(tryPath, { permission }, async (ctx, staff) => {
    const { row, client, settings } = await findApp(staff, ctx.params.id ?? '')
    const untried = whyUntried(row)
    const app = snippetAppOf(config.issuer, config.site.resources, { id: row.id, settings })
    page(ctx, staff, 'admin-client-try', {
      client,
      untried,
      scopes: tryScopes(row).filter((scope) => scope !== 'openid'),
      request: untried === 'machine' ? curl.blocks(app)[0]?.text : undefined,
      action: `${clientPath(row.id)}/try`,
    })
  })

  act(
    tryPath,
    { permission, page: ({ id }) => `${clientPath(id)}/try` },
    async (ctx, staff, fields) => {
      const { row } = await findApp(staff, ctx.params.id ?? '')
      if (whyUntried(row)) return answer.redirect(ctx, `${clientPath(row.id)}/try`)
      const scopes = tryScopes(row).filter((scope) => fields[`scope.${scope}`])
      const by = { ...staff.by, at: seconds(now) }
      const device = ctx.state.device ?? ''
      const askAnew = Boolean(fields.anew)
      answer.redirect(ctx, await beginTry(house, by, row, { device, scopes, askAnew }))
    },
  )
}

const lost = () => new Problem(410, 'admin.try.lost', { next: [{ ...toConsole, primary: true }] })
