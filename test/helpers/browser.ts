/** A browser without a screen: follows redirects, keeps cookies, fills forms in. */
import { type HTMLElement, parse } from 'node-html-parser'
import { CookieJar } from 'tough-cookie'

export type Page = {
  status: number
  url: URL
  headers: Headers
  html: string
  document: HTMLElement
  /** Every address on the way here, this one last. */
  trail: string[]
}

export type Browser = {
  jar: CookieJar
  open(url: string, init?: RequestInit): Promise<Page>
  /** One request, redirects not followed. */
  request(url: string, init?: RequestInit): Promise<Page>
  /** Fills in the form of that id and sends it, with the button of that name and value if given. */
  submit(page: Page, formId: string, fields?: Record<string, string>): Promise<Page>
}

export function openBrowser(headers: Record<string, string> = {}): Browser {
  const jar = new CookieJar(undefined, { rejectPublicSuffixes: false, looseMode: true })

  async function once(url: string, init: RequestInit = {}, trail: string[] = []): Promise<Page> {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'accept-language': 'zh-TW',
        ...headers,
        cookie: await jar.getCookieString(url),
        ...(init.headers as Record<string, string>),
      },
    })
    for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, url)
    const html = await response.text()
    return {
      status: response.status,
      url: new URL(url),
      headers: response.headers,
      html,
      document: parse(html),
      trail: [...trail, url],
    }
  }

  async function open(url: string, init?: RequestInit): Promise<Page> {
    let page = await once(url, init)
    for (let hops = 0; page.status >= 300 && page.status < 400; hops++) {
      if (hops > 20) throw new Error(`too many redirects: ${page.trail.join('\n')}`)
      const next = new URL(page.headers.get('location') ?? '', page.url)
      // The app's own address: nobody listens there, its query is what the test wants.
      if (next.hostname !== 'localhost')
        return { ...page, url: next, trail: [...page.trail, next.href] }
      page = await once(next.href, {}, page.trail)
    }
    return page
  }

  return {
    jar,
    open,
    request: once,
    async submit(page, formId, fields = {}) {
      const form = page.document.querySelector(`form[id="${formId}"]`)
      if (!form)
        throw new Error(`no form #${formId} at ${page.url.pathname}: ${page.html.slice(0, 2000)}`)
      const values = new URLSearchParams()
      for (const input of form.querySelectorAll('input')) {
        const { name, value = '', type } = input.attributes
        const box = type === 'checkbox' || type === 'radio'
        if (name && type !== 'submit' && (!box || 'checked' in input.attributes)) {
          values.set(name, value)
        }
      }
      for (const [name, value] of Object.entries(fields)) values.set(name, value)
      const action = new URL(form.getAttribute('action') || page.url.href, page.url)
      if (form.getAttribute('method')?.toLowerCase() !== 'post') {
        action.search = values.toString()
        return open(action.href)
      }
      return open(action.href, {
        method: 'POST',
        body: values,
        headers: { origin: page.url.origin, 'sec-fetch-site': 'same-origin' },
      })
    },
  }
}
