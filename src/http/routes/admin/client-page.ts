/** One app's own page: what it is, and what can be done to it. */
import { keepDays } from '#admin/clients/secrets.ts'
import { getClient } from '#admin/operations/clients.ts'
import { logoPath } from '../../app-of.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { dateIn } from '../account/labels.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

export const clientsPath = '/admin/clients'
export const clientPath = (id: string | undefined): string =>
  `${clientsPath}/${encodeURIComponent(id ?? '')}`

const keepChoices = [keepDays.usual, 30, 7, 1]
const lifeDays = [365, 180, 730]

type More = NonNullable<Parameters<Console['page']>[4]>

/** Shows the page again with what is wrong, and what was typed. */
export type ShowClient = (
  ctx: Context,
  staff: Staff,
  more?: More & { owner?: string; life?: string },
) => Promise<void>

/** Registers the page, and gives what shows it again after a slip. */
export function openClientPage({ show, page }: Console, house: House): ShowClient {
  const { config } = house

  const showClient: ShowClient = async (ctx, staff, { owner, life, ...more } = {}) => {
    const found = await staff.perform(getClient, { id: ctx.params.id ?? '' })
    const { settings, secret, owners, logo, ...client } = valueIn(found, clientsPath)
    page(
      ctx,
      staff,
      'admin-client',
      {
        client: {
          ...client,
          mayWrite: staff.may('clients.write'),
          disabled: client.disabledAt !== undefined,
          logo: logo && logoPath(client.id, logo),
          createdAt: new Date(client.createdAt),
          updatedAt: new Date(client.updatedAt),
          redirectUris: settings.redirectUris,
          scopes: settings.scopes,
          policyUri: settings.policyUri,
          tosUri: settings.tosUri,
          clientUri: settings.clientUri,
        },
        endpoints: endpointsOf(config.issuer, client.kind),
        secret: secret && {
          createdAt: dateIn(secret.createdAt),
          expiresAt: dateIn(secret.expiresAt),
          soon: client.state === 'expiring',
          formerUntil: dateIn(secret.formerExpiresAt),
        },
        owners: owners.map((one) => ({ ...one, since: new Date(one.since) })),
        owner,
        life,
        keepDays: keepChoices,
        lifeDays,
        path: clientPath(client.id),
      },
      more,
    )
  }

  show(`${clientsPath}/:id`, { permission: 'clients.read' }, (ctx, staff) => showClient(ctx, staff))
  return showClient
}

const endpoints: [key: string, path: string, forMachines: boolean][] = [
  ['issuer', '', true],
  ['discovery', '/.well-known/openid-configuration', true],
  ['authorization', '/auth', false],
  ['token', '/token', true],
  ['userinfo', '/me', false],
  ['jwks', '/jwks', true],
  ['end-session', '/session/end', false],
]

const endpointsOf = (issuer: string, kind: string) =>
  endpoints
    .filter(([, , forMachines]) => forMachines || kind !== 'machine')
    .map(([key, path]) => ({ key: `admin.clients.page.${key}`, url: `${issuer}${path}` }))
