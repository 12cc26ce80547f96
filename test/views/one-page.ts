/** One made-up page in our layout, with our partials, scripts and policy: for what belongs to no page of its own. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openAssets } from '#http/assets.ts'
import { contentSecurityPolicy, type PolicyNeeds } from '#http/middleware/headers.ts'
import { openRenderer, type Views } from '#http/render.ts'
import { openMessages } from '#lib/messages.ts'

const views = join(import.meta.dirname, '../../views')

export type OnePage = {
  url: (lang: string) => string
  /** Paths asked for so far. */
  asked: string[]
}

/** Serves `template` with `locals` in either language. */
export async function openPage(
  t: ExecutionContext,
  template: string,
  locals: object,
  needs: PolicyNeeds = {},
): Promise<OnePage> {
  const viewsDir = mkdtempSync(join(tmpdir(), 'one-page-'))
  t.teardown(() => rmSync(viewsDir, { recursive: true, force: true }))
  for (const part of ['layout.ejs', 'partials']) {
    cpSync(join(views, part), join(viewsDir, part), { recursive: true })
  }
  writeFileSync(join(viewsDir, 'page.ejs'), template)
  const assets = openAssets(join(views, 'assets'))
  const messages = openMessages(join(views, 'messages'))
  const title = { 'zh-TW': '教育雲', en: 'Edu Cloud' }
  const render = openRenderer({ viewsDir, messages, assets, site: { title } })

  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    asked.push(path)
    if (path.startsWith('/assets/')) {
      const { status, headers, type, body } = assets.serve(path, request.headers['accept-encoding'])
      // As the server does: what a worker may do is said by its script's own answer.
      const policy = contentSecurityPolicy()
      const more = { 'content-type': type, 'content-security-policy': policy }
      response.writeHead(status, { ...headers, ...more }).end(body)
      return
    }
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(needs),
    })
    const page = { lang: path.slice(1), ref: 'K7Q2-9FMX', url: path, locals: locals as never }
    response.end(render('page' as keyof Views, page))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: (lang) => `http://127.0.0.1:${port}/${lang}`, asked }
}
