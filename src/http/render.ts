/** Turns a view and its data into a whole HTML page. Everything is compiled at boot; nothing is read later. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ejs from 'ejs'
import { fillIn, type Message, type MessageParams, type Messages } from '#lib/messages.ts'
import { clip, closeUp, escapeHtml, plain } from '#lib/prose.ts'
import type { AccountViews } from './account-views.ts'
import type { AdminViews } from './admin-views.ts'
import type { Assets } from './assets.ts'
import type { InvitationViews } from './invitation-views.ts'
import type { JoiningViews } from './joining-views.ts'
import type { ShownNotice } from './problem.ts'

type App = { name: string; host: string; logoUri?: string | undefined }
type FormToken = { formToken: string }

/** One upstream in a list to choose from. */
export type Gate = {
  id: string
  label: string
  /** What people may type to find it. */
  keywords: string[]
  connected: boolean
  /** How it fares, where something is the matter. */
  note?: Message | undefined
}

/** What each page is given. A view reads it as `data`. */
export type Views = AdminViews &
  AccountViews &
  JoiningViews &
  InvitationViews & {
    'sign-in': FormToken & {
      uid: string
      app: App
      /** What was typed, so that it need not be typed again. */
      account?: string | undefined
      problem?: Message | undefined
      upstreamProblem?: Message | undefined
      notice?: Message | undefined
      connectors: Gate[]
      chosen?: string | undefined
      /** Whether staying signed in is offered at all. */
      canRemember: boolean
      /** She ticked it before. */
      remember?: boolean | undefined
      actions: { local: string; upstream: string; cancel: string }
    }
    'upstream-password': FormToken & {
      /** Where the errand is a sign-in. */
      app?: App | undefined
      /** Whose account and password are asked for. */
      directory: string
      account?: string | undefined
      problem?: Message | undefined
      action: string
      back: string
    }
    'link-offer': FormToken & {
      app: App
      /** Where she came from. */
      county: string
      /** The account's, as it may be shown. */
      address: string
      /** What shows that it is hers. */
      proof: 'sign-in' | 'word'
      /** Which offer this is. */
      offer: string
      account?: string | undefined
      problem?: Message | undefined
      upstreamProblem?: Message | undefined
      notice?: Message | undefined
      connectors: Gate[]
      actions: { signIn: string; upstream: string; word: string; alone: string; cancel: string }
    }
    'second-factor': FormToken & {
      app: App
      account: { name: string }
      /** She has an authenticator app. */
      hasApp: boolean
      /** What the browser is to ask her passkeys, as JSON. */
      passkey?: string | undefined
      codesLeft: number
      /** She has no second factor: what she can do about it depends on who she is. */
      none?: 'member' | 'staff' | undefined
      /** She is to show it to have her county linked, and is not signed in yet. */
      offer?:
        | { mark: string; county: string; address: string; back: string; signIn: string }
        | undefined
      /** What she tried. */
      way?: string | undefined
      problem?: Message | undefined
      actions: { prove: string; cancel: string; setUp: string }
    }
    agreement: FormToken & {
      app: App
      terms: { id: string; version: string; title: string; html: string; hash: string }
      /** She agreed to an earlier version. */
      before: boolean
      problem?: Message | undefined
      action: string
    }
    'choose-account': FormToken & {
      app: App
      account: { name: string; detail?: string | undefined }
      affiliation?: { label: string } | undefined
      canChangeAffiliation: boolean
      actions: { continue: string; another: string; affiliation: string }
    }
    'choose-affiliation': FormToken & {
      app: App
      affiliations: { key: string; school: string; roleKey: string; titles: string[] }[]
      chosen?: string | undefined
      action: string
      problem?: Message | undefined
    }
    consent: FormToken & {
      app: App & {
        policyUri?: string | undefined
        tosUri?: string | undefined
        /** An installed program: nobody can vouch that it is the one it says it is. */
        native: boolean
      }
      account: { name: string }
      /** `purpose`: what for, in the app's own words. */
      scopes: {
        scope: string
        titleKey: string
        detailKey: string
        purpose?: string | undefined
      }[]
      claims: string[]
      resources: {
        id: string
        label: string
        scopes: { scope: string; label: string; purpose?: string | undefined }[]
      }[]
      offline: boolean
      actions: { allow: string; deny: string }
    }
    problem: {
      titleKey: string
      whatKey: string
      keptKey?: string | undefined
      /** For all three texts. */
      params?: MessageParams | undefined
      next: {
        id: string
        kind: 'link' | 'post'
        href: string
        labelKey: string
        params?: MessageParams | undefined
        fields?: Record<string, string> | undefined
        primary?: boolean | undefined
      }[]
      notices?: ShownNotice[] | undefined
      /** How upstreams fare is of use to her. */
      status?: boolean | undefined
      formToken?: string | undefined
    }
    status: {
      at: Date
      upstreams: {
        id: string
        label: string
        state: 'ok' | 'slow' | 'down' | 'off'
        since?: Date | undefined
        notices: ShownNotice[]
      }[]
      again: string
    }
    'device-code': { action: string; xsrf: string; problem?: Message | undefined }
    'device-confirm': {
      app: App
      userCode: string
      action: string
      xsrf: string
      device?: { ip?: string | undefined; ua?: string | undefined } | undefined
    }
    'device-done': { app: { name: string } }
    'sign-out': {
      action: string
      xsrf: string
      app?: { name: string } | undefined
      /** She comes from an app that is not there any more. */
      gone?: boolean
      /** The county she may sign out at as well. */
      county?: string | undefined
    }
    /** `still`: she left one app only, or thought again. */
    'signed-out': { app?: { name: string } | undefined; still?: boolean; home: string }
    home: { signedIn?: { name: string } | undefined; appHint?: string | undefined }
    reset: FormToken & {
      /** What was typed. */
      account?: string | undefined
      problem?: Message | undefined
      action: string
    }
    'reset-sent': { minutes: number; again: string }
    'reset-password': FormToken & {
      account: string
      /** Letters a password has at least. */
      shortest: number
      problems: { password?: Message; again?: Message }
      action: string
    }
    'reset-done': { signIn: string }
    resend: FormToken & {
      address?: string | undefined
      problem?: Message | undefined
      action: string
    }
    'resend-sent': { again: string }
  }

export type Page<Locals> = {
  lang: string
  /** The request's reference: what a person reads out when she asks for help. */
  ref: string
  /** Path and query of this page, for the language switch. */
  url: string
  user?: { name: string } | undefined
  locals: Locals
}

export type Renderer = <V extends keyof Views>(view: V, page: Page<Views[V]>) => string

export type RendererParts = {
  viewsDir: string
  messages: Messages
  assets: Assets
  site: { title: Record<string, string> }
  now?: () => Date
}

/** This page in another language: same path, same query, `lang` set. */
export function inLanguage(url: string, lang: string): string {
  // `//host` and `/\host` would leave the site.
  const local = /^\/(?![/\\])/.test(url) ? url : '/'
  const [path = '/', query = ''] = local.split('#')[0]?.split('?', 2) ?? []
  const params = new URLSearchParams(query)
  params.set('lang', lang)
  return `${path}?${params}`
}

type Template = (scope: object) => string

type FieldProblems = { field?: string; problem: Message }[]
const problemsOf = (locals: object): FieldProblems =>
  'problems' in locals ? (locals.problems as FieldProblems) : []

// Everything a template may name. Data sits under `data`, so that no field of a request can become
// an option of the template engine (CVE-2022-29078) or shadow a helper.
const SCOPE = [
  'data',
  'lang',
  'page',
  'site',
  't',
  'raw',
  'say',
  'clip',
  'name',
  'when',
  'asset',
  'part',
  'title',
  'has',
  'words',
  'problemAt',
]

function compileAll(viewsDir: string): Map<string, Template> {
  const templates = new Map<string, Template>()
  for (const file of readdirSync(viewsDir, { recursive: true, encoding: 'utf8' }).sort()) {
    // The sandbox renders its own pages, and mails are no pages.
    if (!file.endsWith('.ejs') || /^(sandbox|mail)[/\\]/.test(file)) continue
    const compiled = ejs.compile(readFileSync(join(viewsDir, file), 'utf8'), {
      filename: join(viewsDir, file),
      strict: true,
      localsName: 'scope',
      destructuredLocals: SCOPE,
    })
    templates.set(file.slice(0, -'.ejs'.length).replaceAll('\\', '/'), compiled)
  }
  return templates
}

/** Compiles every view once. A view that does not compile stops the boot. */
export function openRenderer(parts: RendererParts): Renderer {
  const { messages, assets, site, now = () => new Date() } = parts
  const templates = compileAll(parts.viewsDir)
  const template = (name: string) => {
    const found = templates.get(name)
    if (!found) throw new Error(`no view '${name}'`)
    return found
  }

  return (view: string, page: Page<object>): string => {
    const { lang } = page
    const siteTitle = site.title[lang] ?? Object.values(site.title)[0] ?? ''

    /** Plain text for `<%= %>`. Names in it are clipped. */
    const t = (key: string, params: MessageParams = {}) =>
      fillIn(closeUp(lang, messages.template(lang, key), params), params, plain)

    /** A person's, school's or app's name as HTML: isolated, clipped, its language marked where we can tell. */
    const name = (value: unknown, longest?: number) => {
      const text = clip(value, longest)
      const foreign = !lang.startsWith('zh') && /\p{Script=Han}/u.test(text) ? ' lang="zh-TW"' : ''
      return `<bdi${foreign}>${escapeHtml(text)}</bdi>`
    }

    /** A message as HTML, with every parameter isolated. */
    const say = (message: Message, more: MessageParams = {}, longest?: number) => {
      const { key, params: own } = typeof message === 'string' ? { key: message } : message
      const params = { ...own, ...more }
      const text = escapeHtml(closeUp(lang, messages.template(lang, key), params))
      return fillIn(text, params, (v) => (typeof v === 'number' ? `${v}` : name(v, longest)))
    }

    /** A moment in Taiwan's time, as `<time>`. */
    const when = (date: Date, style: 'date' | 'minute' = 'minute') => {
      const words = new Intl.DateTimeFormat(lang, {
        timeZone: 'Asia/Taipei',
        year: 'numeric',
        month: 'short',
        day: 'numeric',
        ...(style === 'minute' ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : {}),
      }).format(date)
      return `<time datetime="${date.toISOString()}">${escapeHtml(words)}</time>`
    }

    let heading = ''
    const scope = {
      data: Object.assign(Object.create(null), page.locals),
      lang,
      page: {
        ref: page.ref,
        user: page.user,
        now: now(),
        languages: Object.keys(site.title).map((l) => ({
          lang: l,
          label: messages.translate(l, 'language.name'),
          url: inLanguage(page.url, l),
        })),
      },
      site: { title: siteTitle },
      t,
      /** With its braces, for a script to fill in. */
      raw: (key: string) => messages.template(lang, key),
      say,
      clip,
      name,
      when,
      has: messages.has,
      /** An operator's text in this language. */
      words: (text: Record<string, string> | undefined) => text?.[lang] ?? '',
      /** What is wrong at a field of a step. */
      problemAt: (field: string) =>
        problemsOf(page.locals).find((one) => one.field === field)?.problem,
      asset: assets.url,
      title: (text: string) => {
        heading = text
        return ''
      },
      part: (file: string, more: object = {}): string =>
        template(file.includes('/') ? file : `partials/${file}`)({
          ...scope,
          data: Object.assign(Object.create(null), scope.data, more),
        }),
    }
    const body = template(view)(scope)
    const layout = { ...scope, data: Object.assign(Object.create(null), { view, heading, body }) }
    return template('layout')(layout)
  }
}
