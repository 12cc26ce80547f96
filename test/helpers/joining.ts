/** Somebody who joins the Edu Cloud, page after page, in a browser without a screen. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Browser, openBrowser, type Page } from './browser.ts'
import type { World } from './world.ts'

export const password = 'seven purple umbrellas'

export const agree = (browser: Browser, page: Page): Promise<Page> =>
  browser.submit(page, 'joining-form', { agree: 'yes', decision: 'agree' })

export const choose = (browser: Browser, page: Page, kind: string): Promise<Page> =>
  browser.submit(page, 'joining-form', { kind })

/** From the step that names counties to the county, and back with its word. */
export async function proveAt(browser: Browser, page: Page, county: string, account: string) {
  const atCounty = await browser.submit(page, 'joining-form', { connector: county })
  return browser.submit(atCounty, 'county-login', { account, password: account })
}

export const schoolAnswers = {
  account: 'yawen.lin',
  backup_email: 'yawen@example.com',
  backup_email_again: 'yawen@example.com',
  password,
  password_again: password,
  nickname: '小雯',
  phone: '02-12345678#123',
  gender: 'female',
}

export const otherAnswers = {
  name: '王小明',
  email: 'ming@example.com',
  email_again: 'ming@example.com',
  password,
  password_again: password,
  nickname: '阿明',
  birthdate: '1990-05-17',
}

/** The step a page asks, by its address. */
export const stepOf = (page: Page): string => page.url.pathname.split('/').at(-1) ?? ''

export const headingOf = (page: Page): string =>
  page.document.querySelector('h1')?.text.trim() ?? ''

/** What is wrong with a page's fields, in its words. */
export const problemsOf = (page: Page): string[] =>
  page.document.querySelectorAll('#problems li').map((one) => one.text.trim())

/** A visitor who wants to be a member, up to the page after the choice. */
export async function beginAs(browser: Browser, world: World, kind: string): Promise<Page> {
  const terms = await browser.open(`${world.issuer}/join`)
  return choose(browser, await agree(browser, terms), kind)
}

type Letter = { to: string; subject: string; text: string; link: string }

/** Mails in the sandbox's mailbox, newest first, once at least `count` are there. */
export async function mailbox(world: World, count = 1): Promise<Letter[]> {
  const browser = openBrowser()
  for (let tries = 0; ; tries++) {
    const { document } = await browser.open(`${world.counties}/mail`)
    const links = document.querySelectorAll('#mails li a').map((one) => one.getAttribute('href'))
    if (links.length < count && tries < 600) {
      await sleep(50)
      continue
    }
    const letters: Letter[] = []
    for (const href of links) {
      const { document: one } = await browser.open(`${world.counties}${href}`)
      letters.push({
        to: one.querySelector('#to')?.text ?? '',
        subject: one.querySelector('h1')?.text.trim() ?? '',
        text: one.querySelector('#text pre')?.text ?? '',
        link: one.querySelector('#links a')?.getAttribute('href') ?? '',
      })
    }
    return letters
  }
}
