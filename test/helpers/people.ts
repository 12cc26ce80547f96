/** People and what upstreams say of them, for tests that need one. */
import type { UpstreamIdentity } from '#federation/connector.ts'

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
