/** Our own style sheets, scripts and pictures: read once at boot, served from memory under their content hash. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

export type AssetAnswer = {
  status: 200 | 304 | 404
  type: string
  body: Buffer
  headers: Record<string, string>
}

export type Assets = {
  /** Where the page finds it. Throws on an unknown name: a misspelt asset is a bug. */
  url(name: string): string
  serve(path: string, acceptEncoding?: string, ifNoneMatch?: string): AssetAnswer
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}
const packed = new Set(['.css', '.js', '.svg'])

/** The CSS base, as its authors publish it, goes in front of our own sheet: one file, one request. */
const bases: Record<string, string> = {
  'citygate.css': fileURLToPath(import.meta.resolve('@picocss/pico/css/pico.min.css')),
}

type Encoding = 'br' | 'gzip' | 'identity'
type Asset = { hash: string; type: string; bodies: Map<Encoding, Buffer> }

function load(dir: string, name: string): Asset {
  const extension = extname(name)
  const type = types[extension]
  if (!type) throw new Error(`asset of a kind we do not serve: ${name}`)
  const own = readFileSync(join(dir, name))
  const base = bases[name]
  const plain = base ? Buffer.concat([readFileSync(base), Buffer.from('\n'), own]) : own
  const bodies = new Map<Encoding, Buffer>([['identity', plain]])
  if (packed.has(extension)) {
    bodies.set('gzip', gzipSync(plain, { level: 9 }))
    bodies.set(
      'br',
      brotliCompressSync(plain, {
        params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
      }),
    )
  }
  return { hash: createHash('sha256').update(plain).digest('hex').slice(0, 12), type, bodies }
}

/** The best encoding the client takes (RFC 9110 12.5.3); `br;q=0` is a refusal. */
function pick(bodies: Map<Encoding, Buffer>, acceptEncoding: string): Encoding {
  const takes = (name: string) =>
    acceptEncoding
      .slice(0, 500)
      .split(',')
      .some((part) => {
        const [coding = '', ...rest] = part.split(';').map((s) => s.trim().toLowerCase())
        return coding === name && !rest.some((a) => /^q=0(\.0*)?$/.test(a))
      })
  if (bodies.has('br') && takes('br')) return 'br'
  if (bodies.has('gzip') && takes('gzip')) return 'gzip'
  return 'identity'
}

/** Reads `dir` and the CSS base. A path is looked up in a map, so there is nothing to traverse. */
export function openAssets(dir: string): Assets {
  const urls = new Map<string, string>()
  const byPath = new Map<string, Asset>()
  for (const { name } of readdirSync(dir, { withFileTypes: true }).filter((e) => e.isFile())) {
    if (name.startsWith('.')) continue
    const asset = load(dir, name)
    const path = `/assets/${asset.hash}/${name}`
    urls.set(name, path)
    byPath.set(path, asset)
  }

  return {
    url: (name) => {
      const url = urls.get(name)
      if (!url) throw new Error(`no asset '${name}'`)
      return url
    },
    serve: (path, acceptEncoding = '', ifNoneMatch = '') => {
      const asset = byPath.get(path)
      if (!asset)
        return {
          status: 404,
          type: 'text/plain; charset=utf-8',
          body: Buffer.from('not found\n'),
          headers: { 'cache-control': 'no-store' },
        }
      const encoding = pick(asset.bodies, acceptEncoding)
      const etag = encoding === 'identity' ? `"${asset.hash}"` : `"${asset.hash}-${encoding}"`
      const headers: Record<string, string> = {
        'cache-control': 'public, max-age=31536000, immutable',
        etag,
        vary: 'Accept-Encoding',
        'x-content-type-options': 'nosniff',
      }
      const known = ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
      if (known) return { status: 304, type: asset.type, body: Buffer.alloc(0), headers }
      if (encoding !== 'identity') headers['content-encoding'] = encoding
      return {
        status: 200,
        type: asset.type,
        body: asset.bodies.get(encoding) ?? Buffer.alloc(0),
        headers,
      }
    },
  }
}
