/** Places a stock client needs around it: a web site of its own, and a real browser to go there with. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { type Browser, chromium, type Page } from 'playwright-core'
import { chromiumFlags, findChromium } from '../helpers/chromium.ts'

/** Serves on a port of its own and gives that port. */
export async function serve(t: ExecutionContext, answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

let chrome: Promise<Browser> | undefined

/** A page of a real browser that nobody used before. The browser is one per test file and ends with it. */
export async function openPage(t: ExecutionContext): Promise<Page> {
  chrome ??= chromium.launch({ executablePath: findChromium(), args: chromiumFlags })
  const context = await (await chrome).newContext({ locale: 'zh-TW' })
  t.teardown(() => context.close())
  return context.newPage()
}

export const closeBrowser = async (): Promise<void> => (await chrome)?.close()

/** Signs in at our own form. */
export async function fillIn(
  page: Page,
  { account, password }: { account: string; password: string },
): Promise<void> {
  await page.fill('#local-form [name=account]', account)
  await page.fill('#local-form [name=password]', password)
  await page.click('#local-form [type=submit]')
}
