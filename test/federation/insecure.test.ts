/** Upstreams without TLS: only where a file says so, and never unnoticed. */
import test from 'ava'
import { type ConnectorConfig, connectorFile } from '#config/connector.ts'
import { openPlainAddresses } from '#federation/insecure.ts'
import { warnOfInsecure } from '../../src/opening/warnings.ts'

const county = (id: string, settings: object, credentials: object | undefined = {}) =>
  ({
    ...connectorFile.parse({
      id,
      type: 'openid2',
      label: { 'zh-TW': '某縣', en: 'Some County' },
      order: 1,
      profile: 'tainan',
      settings: {
        identifier: `http://${id}.example/`,
        hosts: [`*.${id}.example`],
        claimed_id: '^http://.+$',
        ...settings,
      },
    }),
    credentials,
  }) as ConnectorConfig

const old = county('old', { insecure: true, endpoint: 'http://op.old.example:8080/' })
const secure = county('secure', { identifier: 'https://secure.example/' })
const listed = { ...county('listed', { insecure: true }), credentials: undefined }

test('an operator is warned at each start of every upstream that can be forged', (t) => {
  const said: unknown[] = []
  warnOfInsecure([old, secure, listed as ConnectorConfig], {
    warn: (line: object) => said.push(line),
  })
  t.deepEqual(said, [{ connector: 'old', identifier: 'http://old.example/' }])
})

test('http is for the hosts of those upstreams only', (t) => {
  const mayBePlain = openPlainAddresses([old, secure, listed as ConnectorConfig])
  for (const [address, answer] of [
    ['http://old.example/', true],
    ['http://op.old.example:8080/x', true],
    ['http://wang.old.example/', true],
    ['http://old.example:81/', false],
    ['http://secure.example/', false],
    ['http://listed.example/', false],
    ['http://old.example.evil.example/', false],
  ] as const)
    t.is(mayBePlain(new URL(address)), answer, address)
})

test('a file without insecure: true names no address without TLS', (t) => {
  t.throws(() => county('old', {}), { message: /insecure: true/ })
})
