/** Style sheets, scripts and pictures under their content hash: our own from memory, others' as somebody asks for them. */
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

/** The CSS base, as its authors publish it. */
const base = fileURLToPath(import.meta.resolve('@picocss/pico/css/pico.min.css'))

/**
 * What our sheets are made of: `<sheet>/<part>.css`, in the order they are read, for a later one says more of what an
 * earlier one dressed. One file and one request each; the base is in front of the one every page has.
 */
const sheets: Record<string, string[]> = {
  citygate: [
    'tokens',
    'ground',
    'cards',
    'forms',
    'sign-in',
    'notices-and-facts',
    'questions',
    'home-and-wide',
    'terms-and-strength',
    'menu',
    'account',
    'joining',
  ],
  console: ['frame', 'lists', 'forms', 'upstreams', 'apps', 'operations', 'people', 'code'],
}

/** Files of packages, as published, that few pages need: the password meter's dictionary alone has 430 kB. */
const published: Record<string, string> = {
  'altcha-worker.js': import.meta.resolve('altcha/workers/pbkdf2'),
  'zxcvbn.js': import.meta.resolve('@zxcvbn-ts/core/dist/zxcvbn-ts.js'),
  'zxcvbn-passwords.js': import.meta.resolve('@zxcvbn-ts/language-common/dist/zxcvbn-ts.js'),
}

type Encoding = 'br' | 'gzip' | 'identity'
type Asset = {
  hash: string
  type: string
  encodings: Encoding[]
  /** Nothing if the file is another one by now. */
  body: (encoding: Encoding) => Buffer | undefined
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 12)

/** Brotli’s 10 makes our sheet 9 % smaller than 5 does and takes 50 ms instead of 4; 11 takes 120 for another 2 %. */
type BrotliQuality = 5 | 10

const pack: Record<Encoding, (plain: Buffer, quality: BrotliQuality) => Buffer> = {
  identity: (plain) => plain,
  gzip: (plain) => gzipSync(plain, { level: 9 }),
  br: (plain, quality) =>
    brotliCompressSync(plain, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: quality,
      },
    }),
}

function kindOf(name: string): Pick<Asset, 'type' | 'encodings'> {
  const extension = extname(name)
  const type = types[extension]
  if (!type) throw new Error(`asset of a kind we do not serve: ${name}`)
  return { type, encodings: packed.has(extension) ? ['br', 'gzip', 'identity'] : ['identity'] }
}

/** Packed by the first who asks, and kept packed: a process that serves no page spends nothing on it. */
function openAsset(
  name: string,
  hash: string,
  quality: BrotliQuality,
  read: () => Buffer | undefined,
): Asset {
  const bodies = new Map<Encoding, Buffer>()
  const body = (encoding: Encoding) => {
    const known = bodies.get(encoding)
    if (known) return known
    const plain = read()
    const made = plain && pack[encoding](plain, quality)
    if (made && encoding !== 'identity') bodies.set(encoding, made)
    return made
  }
  return { ...kindOf(name), hash, body }
}

const ofBytes = (name: string, plain: Buffer): Asset =>
  openAsset(name, hashOf(plain), 10, () => plain)

/** Large, and asked for by few pages: not in memory until somebody does. */
function ofFile(name: string, file: URL): Asset {
  const hash = hashOf(readFileSync(file))
  return openAsset(name, hash, 5, () => {
    const plain = readFileSync(file)
    // Packages are replaced under a running program; what has this address stays a year in browsers.
    return hashOf(plain) === hash ? plain : undefined
  })
}

/** The best encoding the client takes (RFC 9110 12.5.3); `br;q=0` is a refusal. */
function pick(encodings: Encoding[], acceptEncoding: string): Encoding {
  const takes = (name: string) =>
    acceptEncoding
      .slice(0, 500)
      .split(',')
      .some((part) => {
        const [coding = '', ...rest] = part.split(';').map((s) => s.trim().toLowerCase())
        return coding === name && !rest.some((a) => /^q=0(\.0*)?$/.test(a))
      })
  return encodings.find(takes) ?? 'identity'
}

/** Reads `dir` and the CSS base, and looks at what packages publish. A path is looked up in a map, so there is nothing to traverse. */
export function openAssets(dir: string): Assets {
  const urls = new Map<string, string>()
  const byPath = new Map<string, Asset>()
  const add = (name: string, asset: Asset) => {
    const path = `/assets/${asset.hash}/${name}`
    urls.set(name, path)
    byPath.set(path, asset)
  }
  for (const [name, file] of Object.entries(published)) add(name, ofFile(name, new URL(file)))
  for (const { name } of readdirSync(dir, { withFileTypes: true }).filter((e) => e.isFile())) {
    if (!name.startsWith('.')) add(name, ofBytes(name, readFileSync(join(dir, name))))
  }
  for (const [sheet, parts] of Object.entries(sheets)) {
    const files = parts.map((part) => join(dir, sheet, `${part}.css`))
    if (sheet === 'citygate') files.unshift(base)
    const css = files.map((file) => readFileSync(file, 'utf8')).join('\n')
    add(`${sheet}.css`, ofBytes(`${sheet}.css`, Buffer.from(css)))
  }

  return {
    url: (name) => {
      const url = urls.get(name)
      if (!url) throw new Error(`no asset '${name}'`)
      return url
    },
    serve: (path, acceptEncoding = '', ifNoneMatch = '') => {
      const asset = byPath.get(path)
      if (!asset) return missing()
      const encoding = pick(asset.encodings, acceptEncoding)
      const etag = encoding === 'identity' ? `"${asset.hash}"` : `"${asset.hash}-${encoding}"`
      const headers: Record<string, string> = {
        'cache-control': 'public, max-age=31536000, immutable',
        etag,
        vary: 'Accept-Encoding',
        'x-content-type-options': 'nosniff',
      }
      const known = ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
      if (known) return { status: 304, type: asset.type, body: Buffer.alloc(0), headers }
      const body = asset.body(encoding)
      if (!body) return missing()
      if (encoding !== 'identity') headers['content-encoding'] = encoding
      return { status: 200, type: asset.type, body, headers }
    },
  }
}

const missing = (): AssetAnswer => ({
  status: 404,
  type: 'text/plain; charset=utf-8',
  body: Buffer.from('not found\n'),
  headers: { 'cache-control': 'no-store' },
})
