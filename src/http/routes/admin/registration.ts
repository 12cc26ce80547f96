/** Programs that register themselves: the tokens they come with. */
import type { z } from 'zod'
import { clientKinds } from '#admin/clients/schema.ts'
import {
  createRegistrationToken,
  listRegistrationTokens,
  revokeRegistrationToken,
} from '#admin/operations/registration.ts'
import { initialTokenStates, type newToken } from '#admin/registration/tokens.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, oneOf, readQuery } from '../../input.ts'
import { firstTime } from '../first-time.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import { linesOf, offeredScopes } from './client-form.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

const path = '/admin/registration'
const permission = 'registration.write'

const emptyValues: Fields = {
  'kind.web': 'on',
  'scope.profile': 'on',
  'scope.email': 'on',
  uses: '1',
  days: '7',
}

function readToken(fields: Fields): z.input<typeof newToken> {
  const ticked = (prefix: string) =>
    Object.keys(fields).flatMap((name) =>
      name.startsWith(prefix) && fields[name] ? [name.slice(prefix.length)] : [],
    )
  return {
    label: fields.label ?? '',
    kinds: clientKinds.filter((kind) => fields[`kind.${kind}`]),
    scopes: ticked('scope.'),
    hosts: linesOf(fields.hosts),
    uses: Number(fields.uses),
    days: Number(fields.days),
  }
}

export function registrationRoutes(
  { show, act, page, done, problemsFrom }: Console,
  house: House,
): void {
  const { config } = house
  const endpoint = `${config.issuer}/reg`

  async function showTokens(
    ctx: Context,
    staff: Staff,
    values: Fields,
    more: Parameters<typeof page>[4] = {},
  ) {
    const { cursor, ...query } = ctx.method === 'GET' ? readQuery(ctx) : {}
    const state = oneOf(initialTokenStates, query.state)
    const found = await staff.perform(listRegistrationTokens, {
      ...(cursor ? { cursor } : {}),
      ...(state ? { state } : {}),
    })
    const { items, next } = valueIn(found, path)
    page(
      ctx,
      staff,
      'admin-registration',
      {
        on: config.site.registration.dynamic,
        endpoint,
        tokens: items.map((one) => ({
          ...one,
          createdAt: new Date(one.createdAt),
          expiresAt: new Date(one.expiresAt),
        })),
        values,
        kinds: clientKinds,
        scopes: offeredScopes(house, ctx.state.language, 'web'),
        actions: { create: path, revoke: `${path}/revoke` },
        state: state ?? '',
        first: cursor ? withQuery(path, { state }) : undefined,
        next: next && withQuery(path, { state, cursor: next }),
      },
      more,
    )
  }

  // With a fresh proof from the beginning: what is typed must not be lost on the way to another one.
  show(path, { permission, dangerous: true }, (ctx, staff) => showTokens(ctx, staff, emptyValues))

  act(path, { permission, dangerous: true, page: () => path }, async (ctx, staff, fields) => {
    const outcome = await firstTime(house, staff.by.actor, fields.once, () =>
      staff.perform(createRegistrationToken, readToken(fields)),
    )
    if (!outcome) return done(ctx, path, 'registration-sent-twice')
    if (outcome.kind === 'rejected') {
      const problems = problemsFrom(outcome.problems.map(atField))
      return showTokens(ctx, staff, fields, { problems })
    }
    const { token, label, expiresAt } = valueIn(outcome, path)
    page(ctx, staff, 'admin-registration-token', {
      token,
      label,
      expiresAt: new Date(expiresAt),
      endpoint,
      on: path,
    })
  })

  act(`${path}/revoke`, { permission, page: () => path }, async (ctx, staff, { id = '' }) => {
    valueIn(await staff.perform(revokeRegistrationToken, { id }), path)
    done(ctx, path, 'registration-revoked')
  })
}

/** A problem of the second line is one of its field. */
const atField = <P extends { field: string }>(problem: P): P => ({
  ...problem,
  field: problem.field.split('.')[0] ?? '',
})
