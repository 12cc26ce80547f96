/** SimpleSAMLphp, from Debian's packages, as the identity provider of an upstream. */
import test, { type ExecutionContext } from 'ava'
import { connectorFile } from '#config/connector.ts'
import { openSamlConnector } from '#federation/connectors/saml.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { openMapped } from '#federation/profiles/mapped.ts'
import { makeCertificate } from '#sandbox/certificates.ts'
import { lendFederation } from '../federation/lend.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { type SimpleSaml, startSimpleSaml, teacher } from './simplesamlphp.ts'

test.before('Debian has PHP and SimpleSAMLphp', async (t) => {
  t.timeout(300_000)
  await ensurePackages(peerPackages.simplesamlphp)
})

const id = 'uni'
const own = ownAddresses('https://id.example', id)
const map = { name: 'displayName', email: 'mail', school_code: 'schoolCode', titles: 'title' }

async function connect({ entityId }: SimpleSaml, encrypted: boolean) {
  const file = connectorFile.parse({
    id,
    type: 'saml',
    label: { 'zh-TW': '某大學', en: 'Some University' },
    order: 1,
    profile: 'mapped',
    map,
    settings: {
      entity_id: 'replaced below',
      metadata_url: 'https://replaced.example',
      private_key_env: 'KEY',
      certificate_env: 'CERTIFICATE',
      encrypted,
    },
  })
  if (file.type !== 'saml') throw new Error('not what was written')
  const { key, certificate } = await ourKey
  return openSamlConnector(
    {
      ...file,
      settings: { ...file.settings, entity_id: entityId, metadata_url: entityId },
      credentials: { privateKey: key, certificate },
      insecure: true,
    },
    openMapped(map),
    lendFederation({ fetch }),
  )
}
const day = 24 * 60 * 60 * 1000
const ourKey = makeCertificate({
  commonName: 'id.example',
  from: new Date(Date.now() - day),
  until: new Date(Date.now() + day),
})

/** The one form of a page of its, filled in and sent. */
async function send(browser: Browser, page: Page, typed: Record<string, string> = {}) {
  const { action, fields } = formOf(page)
  for (const [name, value] of Object.entries(typed)) fields.set(name, value)
  return browser.open(action.href, { method: 'POST', body: fields })
}

function formOf(page: Page) {
  const form = page.document.querySelector('form')
  if (!form) throw new Error(`no form at ${page.url}: ${page.html.slice(0, 2000)}`)
  const fields = new URLSearchParams()
  for (const { attributes } of form.querySelectorAll('input'))
    if (attributes.name) fields.set(attributes.name, decodeHtml(attributes.value ?? ''))
  const action = new URL(decodeHtml(form.getAttribute('action') ?? ''), page.url)
  return { action, fields }
}

const decodeHtml = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"')

async function signIn(t: ExecutionContext, connector: Awaited<ReturnType<typeof connect>>) {
  const browser = openBrowser()
  const state = 's'.repeat(43)
  const { url, memo } = await connector.begin({
    callbackUrl: own.callback,
    passwordUrl: own.password,
    state,
    fresh: false,
    locales: [],
  })
  const [account = ''] = teacher.uid
  const asked = await browser.open(url)
  const answered = await send(browser, asked, { username: account, password: account })
  const { action, fields } = formOf(answered)
  t.is(action.href, own.callback)
  const identity = await connector.complete(
    { url: new URL(`${own.callback}?state=${state}`), state, form: fields },
    memo,
  )
  return { browser, identity, fields, state, memo }
}

test('a teacher signs in at SimpleSAMLphp, plain and encrypted, and out of both from either side', async (t) => {
  t.timeout(60_000)
  const idp = await startSimpleSaml(t)
  const plain = await connect(idp, false)
  idp.register((await plain.ownMetadata?.()) ?? '')
  const { identity, fields, state, memo } = await signIn(t, plain)
  t.like(identity, {
    issuer: idp.entityId,
    profile: { name: '王小明', email: 'wang01@uni.example' },
    affiliations: [{ schoolCode: '014569', titles: ['教師', '設備組長'] }],
  })
  const replayed = plain.complete({ url: new URL(own.callback), state, form: fields }, memo)
  await t.throwsAsync(replayed, { message: /came before/ })

  idp.encrypt(true)
  const sealed = await connect(idp, true)
  const second = await signIn(t, sealed)
  t.is(second.identity.subject, identity.subject, 'the same name at every sign-in')
  t.is(second.identity.profile.name, '王小明')
  idp.encrypt(false)
  const bare = signIn(t, sealed)
  await t.throwsAsync(bare, { message: /not encrypted/ })

  // Ours first: it is told, answers, and forgets her.
  const { session } = second.identity
  const away = await sealed.signOut?.({ hint: session?.hint, returnTo: own.logout, state })
  const back = await second.browser.open(away ?? '')
  t.is(back.url.origin + back.url.pathname, own.logout, back.html)
  t.deepEqual(await sealed.hearLogout?.({ url: back.url }), { kind: 'answered' })

  // Its own: we are told, answer, and it is content.
  const third = await signIn(t, plain)
  const told = await third.browser.open(idp.signOut(idp.entityId))
  t.is(told.url.origin + told.url.pathname, own.logout, told.html)
  const heard = await plain.hearLogout?.({ url: told.url })
  t.like(heard, {
    kind: 'ended',
    subject: identity.subject,
    sid: third.identity.session?.sid,
  })
  const reply = heard && 'reply' in heard ? (heard.reply ?? '') : ''
  const over = await third.browser.open(reply)
  t.is(over.status, 200, over.html)
  t.is(over.url.href, idp.entityId, 'it goes on')
})
