/** Somebody with an authenticator app. */
import type { Browser, Page } from './browser.ts'
import { codeOf } from './staff.ts'
import type { World } from './world.ts'

export type Enrolled = { secret: string; codes: string[]; page: Page }

/** Sets one up at her own pages, in a browser she is signed in with. */
export async function enrolApp(
  world: World,
  browser: Browser,
  path = '/account/second-factor/app',
): Promise<Enrolled> {
  const form = await browser.open(`${world.issuer}${path}`)
  const secret = form.document.querySelector('#totp-secret')?.text ?? ''
  const code = codeOf(secret, { at: world.house.now() })
  const page = await browser.submit(form, 'app-form', { code })
  const codes = page.document.querySelectorAll('#recovery-codes code').map((one) => one.text)
  return { secret, codes, page }
}
