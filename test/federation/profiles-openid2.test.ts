import test from 'ava'
import type { Profile } from '#federation/profile.ts'
import { profiles } from '#federation/registry.ts'
import { withoutSecrets } from '#federation/without-secrets.ts'
import { type Case, guid } from './fixtures/case.ts'
import { districtCases } from './fixtures/district-schema.ts'
import { eduSchemaCases } from './fixtures/edu-schema.ts'
import { libraryCases } from './fixtures/library-schema.ts'
import { moeSchemaCases } from './fixtures/moe-schema.ts'
import { sregCases } from './fixtures/sreg-schema.ts'
import { tainanCases } from './fixtures/tainan.ts'

const families: [string, Profile, Case[]][] = [
  ['moe-schema', profiles['moe-schema'], moeSchemaCases],
  ['tainan', profiles.tainan, tainanCases],
  ['edu-schema', profiles['edu-schema'], eduSchemaCases],
  ['library-schema', profiles['library-schema'], libraryCases],
  ['sreg-schema', profiles['sreg-schema'], sregCases],
  ['district-schema', profiles['district-schema'], districtCases],
]

for (const [family, profile, cases] of families) {
  for (const { name, attributes, profile: person = {}, affiliations = [], unread } of cases) {
    test(`${family}: ${name}`, (t) => {
      t.deepEqual(profile({ idToken: {}, attributes }), {
        profile: person,
        affiliations,
        openid2Ids: [],
        ...(unread && { unread }),
      })
    })
  }
}

test('the guid is in nothing that is read or kept, whatever it is called', (t) => {
  for (const [family, profile, cases] of families) {
    for (const { name, attributes } of cases) {
      const kept = [profile({ idToken: {}, attributes }), withoutSecrets(attributes)]
      t.false(JSON.stringify(kept).toLowerCase().includes(guid), `${family}: ${name}`)
    }
  }
  const inside = withoutSecrets({ titleStr: `[{"id":"074628","g":"${guid}","title":["教師"]}]` })
  t.deepEqual(inside, { titleStr: '[{"id":"074628","g":"(hash)","title":["教師"]}]' })
})

test('a birth date of no day is in no profile', (t) => {
  const all = sregCases.map(({ attributes }) =>
    profiles['sreg-schema']({ idToken: {}, attributes }),
  )
  t.false(JSON.stringify(all).includes('0001-01-01'))
})
