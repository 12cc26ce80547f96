/** What is done to an app besides its settings: secrets, owners, picture, and whether it is there at all. */

import { isNamed, misnamed } from '#admin/clients/standing.ts'
import type { Outcome } from '#admin/operation.ts'
import {
  addClientOwner,
  addClientSecret,
  disableClient,
  dropClientSecret,
  enableClient,
  getClient,
  putClientLogo,
  removeClient,
  removeClientLogo,
  removeClientOwner,
} from '#admin/operations/clients.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Fields } from '../../input.ts'
import { firstTime } from '../first-time.ts'
import type { Staff } from './admission.ts'
import { clientPath, clientsPath, type ShowClient } from './client-page.ts'
import type { Console } from './console.ts'
import { problemOf, valueIn } from './console-problems.ts'

export function clientActs(
  { act, page, done, problemsFrom }: Console,
  house: House,
  showClient: ShowClient,
): void {
  const permission = 'clients.write'
  const pageOf = ({ id }: Record<string, string>) => clientPath(id)
  const idOf = (ctx: Context) => ctx.params.id ?? ''
  const at = (what: string) => `${clientsPath}/:id/${what}`

  type Doing = {
    what: string
    dangerous?: boolean
    /** The field on the page where what is wrong is said. */
    field?: string
    said: string
    to?: string
    run(staff: Staff, id: string, fields: Fields): Promise<Outcome<unknown>>
  }

  /** What is in the way of ending a secret that apps use, until the app's name is typed. */
  async function unnamed(staff: Staff, id: string, typed = '') {
    const found = valueIn(await staff.perform(getClient, { id }), clientsPath)
    return isNamed(found, typed) ? undefined : misnamed
  }

  /** Acts that end on the app's page, or say there what is wrong. */
  const doings: Doing[] = [
    {
      what: 'secret/drop',
      dangerous: true,
      field: 'secret-drop-confirm',
      said: 'client-secret-dropped',
      run: async (staff, id, { confirm }) =>
        (await unnamed(staff, id, confirm)) ?? (await staff.perform(dropClientSecret, { id })),
    },
    {
      what: 'disable',
      dangerous: true,
      field: 'disable-confirm',
      said: 'client-disabled',
      run: (staff, id, { confirm: name = '' }) => staff.perform(disableClient, { id, name }),
    },
    {
      what: 'enable',
      said: 'client-enabled',
      run: (staff, id) => staff.perform(enableClient, { id }),
    },
    {
      what: 'remove',
      dangerous: true,
      field: 'remove-confirm',
      said: 'client-removed',
      to: clientsPath,
      run: (staff, id, { confirm: name = '' }) => staff.perform(removeClient, { id, name }),
    },
    {
      what: 'owners',
      field: 'owner',
      said: 'client-owner-added',
      run: (staff, id, { owner: account = '' }) => staff.perform(addClientOwner, { id, account }),
    },
    {
      what: 'owners/remove',
      said: 'client-owner-removed',
      run: (staff, id, { account: accountId = '' }) =>
        staff.perform(removeClientOwner, { id, accountId }),
    },
    {
      what: 'logo/remove',
      said: 'client-logo-removed',
      run: (staff, id) => staff.perform(removeClientLogo, { id }),
    },
  ]

  for (const { what, dangerous = false, field, said, to, run } of doings) {
    act(at(what), { permission, dangerous, page: pageOf }, async (ctx, staff, fields) => {
      const outcome = await run(staff, idOf(ctx), fields)
      if (outcome.kind === 'done') return done(ctx, to ?? clientPath(idOf(ctx)), said)
      if (outcome.kind !== 'rejected' || !field) throw problemOf(outcome, clientPath(idOf(ctx)))
      const problems = problemsFrom(outcome.problems.map((one) => ({ ...one, field })))
      await showClient(ctx, staff, { problems, owner: fields.owner })
    })
  }

  act(
    at('secret'),
    { permission, dangerous: true, page: pageOf },
    async (ctx, staff, { once, keep = '', life = '', confirm }) => {
      const id = idOf(ctx)
      const endsAll = keep !== '' && Number(keep) === 0
      if (endsAll && (await unnamed(staff, id, confirm))) {
        const problems = [{ field: 'secret-now-confirm', problem: 'admin.problem.confirm' }]
        return showClient(ctx, staff, { problems, life })
      }
      const found = valueIn(await staff.perform(getClient, { id }), clientsPath)
      const outcome = await firstTime(house, staff.by.actor, once, () =>
        staff.perform(addClientSecret, {
          id,
          ...(keep === '' ? {} : { keepDays: Number(keep) }),
          ...(life === '' ? {} : { expiresDays: Number(life) }),
        }),
      )
      if (!outcome) return done(ctx, clientPath(id), 'client-secret-twice')
      const { secret, formerExpiresAt } = valueIn(outcome, clientPath(id))
      page(ctx, staff, 'admin-client-secret', {
        client: { id, name: found.name },
        secret,
        formerUntil: formerExpiresAt ? new Date(formerExpiresAt) : undefined,
        on: clientPath(id),
      })
    },
  )

  act(
    at('logo'),
    { permission, page: pageOf, files: true },
    async (ctx, staff, _fields, { logo }) => {
      const id = idOf(ctx)
      const again = (why: string) =>
        showClient(ctx, staff, {
          problems: [{ field: 'logo', problem: `admin.problem.app-logo-${why}` }],
        })
      // Browsers send a field nobody chose a file in as an empty one.
      if (!logo || ('bytes' in logo && logo.bytes.length === 0)) return again('missing')
      if ('tooLarge' in logo) return again('too-large')
      const image = logo.bytes.toString('base64')
      const outcome = await staff.perform(putClientLogo, { id, image })
      if (outcome.kind === 'done') return done(ctx, clientPath(id), 'client-logo')
      if (outcome.kind !== 'rejected') throw problemOf(outcome, clientPath(id))
      const problems = problemsFrom(outcome.problems.map((one) => ({ ...one, field: 'logo' })))
      await showClient(ctx, staff, { problems })
    },
  )
}
