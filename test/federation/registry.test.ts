import test from 'ava'
import { type ConnectorConfig, oidcSettings } from '#config/connector.ts'
import { openConnectors } from '#federation/registry.ts'
import { lendFederation } from './lend.ts'

const words = { 'zh-TW': '某縣', en: 'Some County' }
const settings = oidcSettings.parse({
  issuer: 'https://county.example',
  client_id_env: 'COUNTY_ID',
  scopes: ['openid'],
})
const gate = { label: words, order: 1, keywords: [], school_code_prefixes: [], former: [] }
const oidc = (id: string, more: Partial<ConnectorConfig> = {}): ConnectorConfig =>
  ({ ...gate, id, type: 'oidc', profile: 'moe-eduinfo', settings, ...more }) as ConnectorConfig

const ports = lendFederation({
  now: () => 0,
  fetch: () => {
    throw new Error('opening must do no I/O')
  },
})

test('what has credentials is opened, what is only listed is not', (t) => {
  const open = openConnectors(
    [oidc('here', { credentials: { clientId: 'a', clientSecret: 'b' } }), oidc('no-credentials')],
    ports,
  )
  t.deepEqual([...open.keys()], ['here'])
  t.is(open.get('here')?.id, 'here')
  t.deepEqual(open.get('here')?.origins, ['https://county.example'])
})

test('a county whose secret is missing stops nobody else', (t) => {
  const open = openConnectors([oidc('half', { credentials: { clientId: 'a' } }), oidc('b')], ports)
  t.is(open.size, 1)
})
