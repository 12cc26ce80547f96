import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { inLanguage } from '#http/render.ts'
import { clip } from '#lib/prose.ts'
import { fixtures, languages } from './fixtures.ts'
import { render, viewsDir } from './site.ts'

const page = (lang: string) => ({ lang, ref: 'REF', url: '/here?a=1' })

const pages = (lang: 'zh-TW' | 'en', app?: string) =>
  fixtures(lang, app).map(({ name, view, locals }) => ({
    name,
    html: render(view, { ...page(lang), locals: locals as never }),
  }))

test('every view is shown by a fixture', (t) => {
  const views = readdirSync(viewsDir)
    .filter((file) => file.endsWith('.ejs') && file !== 'layout.ejs')
    .map((file) => file.slice(0, -4))
  const shown = new Set<string>(fixtures('en').map(({ view }) => view))
  t.deepEqual(
    views.filter((view) => !shown.has(view)),
    [],
  )
})

for (const lang of languages)
  test(`every page renders in ${lang}, with one heading and a title`, (t) => {
    for (const { name, html } of pages(lang)) {
      t.true(html.includes(`<html lang="${lang}">`), name)
      t.is(html.match(/<h1[ >]/g)?.length, 1, name)
      t.regex(html, /<title>.+<\/title>/, name)
      // Braces are for scripts only, in data attributes.
      t.notRegex(
        html.replace(/ data-[a-z]+="[^"]*"/g, ''),
        /undefined|\[object|NaN|\{[a-z]+\}/,
        name,
      )
    }
  })

test('every form that changes something, but the protocol’s own, carries the form token', (t) => {
  for (const { name, html } of pages('en'))
    for (const [form] of html.matchAll(/<form(?! method="get")[\s\S]*?<\/form>/g))
      t.regex(form, /name="(form_token|xsrf)" value="[^"]+"/, name)
})

test('every control has an id and none appears twice', (t) => {
  for (const { name, html } of pages('zh-TW')) {
    for (const [control] of html.matchAll(/<(?:form|button|select|input(?! type="hidden"))[^>]*>/g))
      t.regex(control, / id="/, `${name}: ${control}`)
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
    t.is(new Set(ids).size, ids.length, name)
  }
})

test('nothing the policy would refuse: no inline script, style or handler', (t) => {
  for (const { name, html } of pages('en')) {
    t.notRegex(html, /<style| style=| on[a-z]+="|<script>|javascript:/i, name)
    for (const [, source] of html.matchAll(/<(?:script|img|link)[^>]*(?:src|href)="([^"]*)"/g))
      t.regex(source ?? '', /^\/assets\/|^\/account\/picture$|^data:image\/webp;base64,/, name)
  }
})

test('names cannot become markup', (t) => {
  const evil = `"><script>alert(1)</script><img src=x onerror='x'>`
  for (const lang of languages)
    for (const { name, html } of pages(lang, evil)) {
      t.notRegex(html, /<script>|<img src=x|"><script/, name)
    }
  const { html } = pages('en', evil)[0] ?? { html: '' }
  t.true(html.includes('&lt;script&gt;alert(1)'))
})

test('what was typed comes back escaped', (t) => {
  const signIn = fixtures('en').find(({ name }) => name === 'sign-in')
  const locals = { ...(signIn?.locals as object), account: `" onfocus="x` } as never
  const html = render('sign-in', { ...page('en'), url: '/x?q="><b>', locals })
  t.true(html.includes('value="&#34; onfocus=&#34;x"'))
  t.false(html.includes('<b>'))
})

test('data cannot reach the template engine’s options or the helpers', (t) => {
  const locals = {
    again: '/resend',
    t: () => 'stolen',
    escapeFunction: 'stolen',
    client: true,
    outputFunctionName: 'x;process.exit(1);//',
    settings: { 'view options': { outputFunctionName: 'x;process.exit(1);//' } },
    __proto__: { polluted: true },
  }
  const html = render('resend-sent', { ...page('en'), locals })
  t.true(html.includes('<h1>Please look in your mailbox</h1>'))
  t.false(html.includes('stolen'))
})

test('only helpers that escape write raw HTML', (t) => {
  const allowed = /^(part|name|say|when)\(|^data\.body$|^data\.terms\.html$/
  for (const file of readdirSync(viewsDir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ejs') || file.startsWith('sandbox')) continue
    for (const [, code] of readFileSync(join(viewsDir, file), 'utf8').matchAll(
      /<%-\s*([\s\S]*?)\s*%>/g,
    ))
      t.regex(code ?? '', allowed, file)
  }
})

test('names are one line, of bounded length and cannot turn the words around them', (t) => {
  t.is(clip('a\u202eb\nc\u0000d'), 'a b c d')
  t.is(clip('x'.repeat(500)).length, 60)
  t.is(clip('林'.repeat(61), 10), `${'林'.repeat(9)}…`)
  t.is(clip(undefined), '')
  t.true(clip('e\u0301'.repeat(100_000)).length < 500)
  t.true(clip(`a${'\u0301'.repeat(100_000)}`).length < 500)
})

test('Chinese names stand close, Latin ones with a space', (t) => {
  const title = (app: string) => /<title>(.*?) –/.exec(pages('zh-TW', app)[0]?.html ?? '')?.[1]
  t.is(title('學習網'), '登入，前往學習網')
  t.is(title('Moodle'), '登入，前往 Moodle')
})

test('a Chinese name on an English page is marked as Chinese', (t) => {
  const account = pages('en').find(({ name }) => name === 'choose-account')?.html
  t.true(account?.includes('<bdi lang="zh-TW">林小美</bdi>'))
})

test('the language switch keeps the page and its query, and never leaves the site', (t) => {
  t.is(inLanguage('/interaction/x?a=1&lang=en', 'zh-TW'), '/interaction/x?a=1&lang=zh-TW')
  t.is(inLanguage('/', 'en'), '/?lang=en')
  t.is(inLanguage('//evil.example/', 'en'), '/?lang=en')
  t.is(inLanguage('/\\evil.example/', 'en'), '/?lang=en')
  t.is(inLanguage('https://evil.example/', 'en'), '/?lang=en')
})

test('links that are not http are not offered', (t) => {
  const consent = fixtures('en').find(({ name }) => name === 'consent')?.locals as never as {
    app: object
  }
  const app = { ...consent.app, policyUri: 'javascript:alert(1)' }
  const html = render('consent', { ...page('en'), locals: { ...consent, app } as never })
  t.false(html.includes('javascript:'))
  t.false(html.includes('policy-link'))
})
