import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import test from 'ava'
import { assets } from './site.ts'

const css = assets.url('citygate.css')

test('an asset is kept for a year under the hash of what it holds', (t) => {
  const answer = assets.serve(css)
  t.is(answer.status, 200)
  t.is(answer.type, 'text/css; charset=utf-8')
  t.is(answer.headers['cache-control'], 'public, max-age=31536000, immutable')
  t.is(answer.headers.vary, 'Accept-Encoding')
  t.regex(css, /^\/assets\/[0-9a-f]{12}\/citygate\.css$/)
  t.true(answer.body.includes('Pico CSS') && answer.body.includes('--cg-primary'))
})

test('it comes packed as the client can unpack it', (t) => {
  const plain = assets.serve(css).body
  const br = assets.serve(css, 'gzip, deflate, br')
  t.is(br.headers['content-encoding'], 'br')
  t.deepEqual(brotliDecompressSync(br.body), plain)
  const gzip = assets.serve(css, 'br;q=0, gzip;q=0.5')
  t.is(gzip.headers['content-encoding'], 'gzip')
  t.deepEqual(gunzipSync(gzip.body), plain)
  t.is(assets.serve(css, 'identity').headers['content-encoding'], undefined)
  t.not(br.headers.etag, gzip.headers.etag)
})

test('who has it already is told so', (t) => {
  const etag = assets.serve(css, 'br').headers.etag ?? ''
  t.is(assets.serve(css, 'br', `"other", W/${etag}`).status, 304)
  t.is(assets.serve(css, 'gzip', etag).status, 200)
})

test('nothing else can be reached', (t) => {
  const [, , hash] = css.split('/')
  for (const path of [
    '/assets/',
    '/assets/citygate.css',
    `/assets/${hash}/../${hash}/citygate.css`,
    `/assets/${hash}/..%2f..%2flayout.ejs`,
    `/assets/${hash}/logo.svg`,
    '/assets/__proto__/constructor',
  ])
    t.is(assets.serve(path).status, 404, path)
  t.throws(() => assets.url('no-such.css'))
})

test('what packages publish comes from our own address, packed when somebody asks', (t) => {
  for (const name of ['altcha-worker.js', 'zxcvbn.js', 'zxcvbn-passwords.js']) {
    const plain = assets.serve(assets.url(name))
    t.is(plain.type, 'text/javascript; charset=utf-8')
    const br = assets.serve(assets.url(name), 'gzip, br')
    t.deepEqual(brotliDecompressSync(br.body), plain.body)
    t.is(assets.serve(assets.url(name), 'br').body, br.body, 'and stays packed')
    t.deepEqual(gunzipSync(assets.serve(assets.url(name), 'gzip').body), plain.body)
    const script = plain.body.toString()
    t.notRegex(script, /\beval\(|new Function\(|^import .* from/m, 'the policy lets it run')
  }
})
