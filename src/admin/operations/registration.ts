/** What staff can do about programs that register themselves. */
import { z } from 'zod'
import { initialTokenStates } from '#store/registrations.ts'
import { done, type Operation, operation } from '../operation.ts'
import { byAge, cutPage, paged, pageOf, readCursor, strangeCursor } from '../paging.ts'
import { makeToken, newToken, revokeToken, shown, shownToken } from '../registration/tokens.ts'

export const listRegistrationTokens = operation({
  id: 'registration.tokens.list',
  summary: 'Lists initial access tokens, the newest first; never the tokens themselves.',
  permission: 'registration.write',
  method: 'GET',
  path: '/registration/tokens',
  input: z.strictObject({ ...paged, state: z.enum(initialTokenStates).optional() }),
  output: pageOf(shownToken),
  async run({ store }, { at }, { cursor, limit, state }) {
    const after = cursor === undefined ? undefined : readCursor(cursor, byAge)
    if (cursor !== undefined && !after) return strangeCursor
    const only = state && { state, at }
    const rows = await store.registrations.listTokens(after, limit + 1, only)
    const page = cutPage(rows, limit, (row) => [row.createdAt, row.id])
    return done({ ...page, items: page.items.map((row) => shown(row, at)) })
  },
})

export const createRegistrationToken = operation({
  id: 'registration.tokens.create',
  summary: 'Makes an initial access token (RFC 7591) with what may be registered; shown this once.',
  permission: 'registration.write',
  dangerous: true,
  method: 'POST',
  path: '/registration/tokens',
  input: newToken,
  output: shownToken.extend({ token: z.string() }),
  run: (ports, by, input) => makeToken(ports, by, input),
})

export const revokeRegistrationToken = operation({
  id: 'registration.tokens.revoke',
  summary: 'Revokes an initial access token; apps that were registered with it stay.',
  permission: 'registration.write',
  method: 'DELETE',
  path: '/registration/tokens/{id}',
  input: z.strictObject({ id: z.string().max(100) }),
  output: z.object({ id: z.string() }),
  run: (ports, by, { id }) => revokeToken(ports, by, id),
})

export const registrationOperations: readonly Operation[] = [
  listRegistrationTokens,
  createRegistrationToken,
  revokeRegistrationToken,
]
