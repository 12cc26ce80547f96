/** The fixtures as a web site of their own: real renderer, real assets, the real policy, no application behind it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'
import { openAssets } from '#http/assets.ts'
import { openRenderer } from '#http/render.ts'
import { openMessages } from '#lib/messages.ts'
import { chromiumFlags, findChromium } from '../helpers/chromium.ts'
import { fixtures, languages } from './fixtures.ts'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

export const viewsDir = at('views')
export const messages = openMessages(at('views/messages'))
export const assets = openAssets(at('views/assets'))
export const render = openRenderer({
  viewsDir,
  messages,
  assets,
  site: { title: { 'zh-TW': '教育雲', en: 'Edu Cloud' } },
  now: () => new Date('2026-11-21T04:00:00Z'),
})

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** One fixture as HTML. */
export function pageOf(lang: string, name: string): string | undefined {
  const known = languages.find((l) => l === lang)
  const fixture = known && fixtures(known).find((one) => one.name === name)
  if (!fixture) return undefined
  const page = {
    lang,
    ref: 'K7Q2-9FMX',
    url: `/${lang}/${name}`,
    user: name === 'account' ? { name: '林小美' } : undefined,
  }
  // Each fixture's locals belong to its view; the compiler cannot follow that through a union.
  return render(fixture.view, { ...page, locals: fixture.locals as never })
}

export type Site = { url: (lang: string, name: string) => string; close: () => Promise<void> }

/** Serves `/<language>/<fixture>` and the assets on a port of its own; a POST answers with what was sent. */
export async function openSite(): Promise<Site> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (request.method === 'POST') {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.setHeader('content-type', 'text/plain; charset=utf-8')
        response.end(Buffer.concat(chunks))
      })
      return
    }
    if (path.startsWith('/assets/')) {
      const asset = assets.serve(path, request.headers['accept-encoding'])
      response.writeHead(asset.status, { ...asset.headers, 'content-type': asset.type })
      response.end(asset.body)
      return
    }
    // A member's picture, which the application would know.
    const picture = path === '/account/picture' ? assets.url('logo.svg') : undefined
    if (picture) {
      response.writeHead(303, { location: picture }).end()
      return
    }
    const [, lang = '', name = ''] = path.split('/')
    const html = pageOf(lang, name)
    response.writeHead(html ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
    })
    response.end(html ?? 'no such page')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: (lang, name) => `http://127.0.0.1:${port}/${lang}/${name}`,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: findChromium(), args: chromiumFlags })

/** What a form sends when that button is pressed. It is sent to where it stands: its answer is waited for, not its address. */
export async function sentBy(
  page: Page,
  selector: string,
  press = (one: Locator): Promise<void> => one.click(),
): Promise<URLSearchParams> {
  const answer = page.waitForResponse((one) => one.request().method() === 'POST')
  await press(page.locator(selector))
  return new URLSearchParams(await (await answer).text())
}

export const screen = (
  lang: string,
  width: number,
  colorScheme: 'light' | 'dark' = 'light',
): BrowserContextOptions => ({
  locale: lang,
  colorScheme,
  viewport: { width, height: width < 600 ? 740 : 800 },
})
