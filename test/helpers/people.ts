/** People and what upstreams say of them, for tests that need one. */
import { signInFederated } from '#accounts/federated.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { House } from '#http/house.ts'

export function buildIdentity(overrides: Partial<UpstreamIdentity> = {}): UpstreamIdentity {
  return {
    connector: 'ntpc',
    issuer: 'https://ntpc.sso.edu.tw',
    subject: 'teacher1',
    profile: { name: '王小明', email: 'wang@apps.ntpc.edu.tw' },
    affiliations: [
      { schoolCode: '014569', role: 'teacher', titles: ['教師', '設備組長'], classes: [] },
    ],
    openid2Ids: ['https://openid.ntpc.edu.tw/user/teacher1'],
    raw: { sub: 'teacher1' },
    ...overrides,
  }
}

/** Somebody who comes by a county, for the first time or again; the account's id. */
export async function arrive(
  { store, now }: Pick<House, 'store' | 'now'>,
  more: Partial<UpstreamIdentity> = {},
): Promise<string> {
  const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }
  const come = await signInFederated(store, buildIdentity(more), now, where)
  if (come.kind !== 'signed-in') throw new Error(come.kind)
  return come.accountId
}
