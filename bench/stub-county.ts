/** A county without network: sends people straight back, and vouches for one of two hundred each time. */
import type { Connector, UpstreamIdentity } from '#federation/connector.ts'
import { county, people } from './site.ts'

export function openStubCounty(): Connector {
  let arrivals = 0
  return {
    id: county,
    origins: [],
    servers: [],
    probe: async () => {},
    begin: async ({ callbackUrl, state }) => ({
      url: `${callbackUrl}?${new URLSearchParams({ state, code: 'upstream' })}`,
      memo: { nonce: state, verifier: state },
    }),
    async complete() {
      arrivals += 1
      return person(arrivals % people)
    },
  }
}

const person = (n: number): UpstreamIdentity => ({
  connector: county,
  issuer: 'https://county.bench.example',
  subject: `subject-${n}`,
  profile: { name: `測試${n}`, preferredUsername: `person${n}` },
  affiliations: [
    {
      schoolCode: '014569',
      schoolName: '測速國小',
      role: 'teacher',
      titles: ['教師'],
      classes: [],
    },
  ],
  openid2Ids: [],
  raw: { sub: `subject-${n}`, name: `測試${n}`, schoolid: '014569', titles: ['教師'] },
})
