import test from 'ava'
import { loadConfig } from '#config/load.ts'
import { ConfigError } from '#errors.ts'
import { sourceOf } from '#http/middleware/source.ts'
import { neighbourhood, readNetwork, region } from '#lib/networks.ts'

const trusted = ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'].flatMap((text) => readNetwork(text) ?? [])
const from = (peer: string, forwarded?: string) => sourceOf(peer, forwarded, trusted)

test('what a stranger says of himself in X-Forwarded-For is not read at all', (t) => {
  t.is(from('203.0.113.9', '198.51.100.1'), '203.0.113.9')
  t.is(from('203.0.113.9', '10.0.0.1, 127.0.0.1'), '203.0.113.9')
  t.is(sourceOf('127.0.0.1', '198.51.100.1', []), '127.0.0.1', 'by default nobody is trusted')
})

test('a proxy of ours says who came, and what the client wrote before that does not count', (t) => {
  t.is(from('127.0.0.1', '198.51.100.1'), '198.51.100.1')
  t.is(from('127.0.0.1', '192.0.2.66, 198.51.100.1'), '198.51.100.1')
  t.is(from('127.0.0.1', 'garbage, 10.9.9.9.9, 198.51.100.1'), '198.51.100.1')
})

test('a chain of proxies of ours is walked from the right to the first address that is not one', (t) => {
  t.is(from('127.0.0.1', '192.0.2.66, 198.51.100.1, 10.1.2.3'), '198.51.100.1')
  t.is(from('fd00::1', '198.51.100.1,10.1.2.3 , fd12::7'), '198.51.100.1')
  t.is(from('127.0.0.1', '10.0.0.7, 10.0.0.8'), '10.0.0.7', 'one of our own machines asked')
})

test('a list that cannot be read is the proxy’s own request: nobody gets a share of his own by it', (t) => {
  for (const list of [
    '',
    ',',
    'unknown',
    '198.51.100.1, unknown',
    '0x7f.1',
    '1.2.3',
    '[::1',
    '198.51.100.1:99',
  ]) {
    t.is(from('10.0.0.5', list), '10.0.0.5', list)
  }
  t.is(from('unknown', '198.51.100.1'), 'unknown')
})

test('one address has one spelling', (t) => {
  t.is(from('::ffff:203.0.113.9'), '203.0.113.9')
  t.is(from('::ffff:127.0.0.1', '::ffff:198.51.100.1'), '198.51.100.1')
  t.is(from('::ffff:7f00:1', '2001:DB8:0:0:0:0:0:1'), '2001:db8::1')
  t.is(from('fe80::1%eth0'), 'fe80::1')
})

test('limits count a /64 of IPv6 as one; a log keeps less than that', (t) => {
  t.is(neighbourhood('2001:db8:1:2:aaaa::1'), neighbourhood('2001:db8:1:2:bbbb::2'))
  t.not(neighbourhood('2001:db8:1:2::1'), neighbourhood('2001:db8:1:3::1'))
  t.is(neighbourhood('198.51.100.7'), '198.51.100.7')
  t.is(region('198.51.100.7'), '198.51.100.0')
  t.is(region('2001:db8:1:2:aaaa::1'), '2001:db8:1::')
})

test('an entry of TRUSTED_PROXIES that is no address stops the start and is named', (t) => {
  const load = (list: string) => loadConfig({ TRUSTED_PROXIES: list })
  t.is(load('10.0.0.5, 2001:db8::/32').trustedProxies.length, 2)
  t.deepEqual(load('').trustedProxies, [])
  for (const [list, bad] of [
    ['10.0.0.5, proxy.example', '"proxy.example"'],
    ['10.0.0.0/33', '"10.0.0.0/33"'],
    ['10.0.0.5,', '""'],
    ['0.0.0.0/0', '"0.0.0.0/0"'],
    ['::/0', '"::/0"'],
  ] as const) {
    const error = t.throws(() => load(list), { instanceOf: ConfigError })
    t.true(error?.message.includes(`TRUSTED_PROXIES: has ${bad}; list addresses`), error?.message)
  }
})
