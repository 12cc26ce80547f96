/** The mailbox on the counties' port: takes what Citygate sends, and shows it. */
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import rawBody from 'raw-body'
import { z } from 'zod'
import type { Now } from '#lib/time.ts'
import { isSignedWebhook } from '#lib/webhook.ts'
import { linksIn, type Mailbox, sender } from './mailbox.ts'
import { pagePolicy, showPage } from './pages.ts'
import { eventPath, postPath, receiverSecret } from './post.ts'

export type MailboxPorts = {
  mailbox: Mailbox
  now: Now
  /** Mails go to the operator's own server instead: the page says why it is empty. */
  mailsGoElsewhere: boolean
}

const posted = z.strictObject({
  id: z.string().min(1).max(100),
  mail: z.strictObject({
    to: z.string().max(254),
    subject: z.string(),
    text: z.string(),
    html: z.string().optional(),
  }),
})
const event = z.strictObject({
  type: z.string(),
  timestamp: z.string(),
  data: z.record(z.string(), z.unknown()),
})

/**
 * A mail's page comes from anybody who has us send one. So it is a document of no origin: no script, nothing fetched,
 * no form, and it cannot even send its own frame elsewhere. Its links open beside it.
 */
const mailPolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
  "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

/** Answers below `/mail` and `/provisioning`; everything else is for the next one. */
export function mailboxApp({ mailbox, now, mailsGoElsewhere }: MailboxPorts): Middleware {
  const router = new Router()

  router.post(postPath, async (ctx) => {
    const read = posted.safeParse(await readJson(ctx))
    if (read.success) await mailbox.mails.put({ ...read.data, at: now() })
    ctx.status = read.success ? 204 : 400
  })

  router.post(eventPath(':receiver'), async (ctx) => {
    const body = (await readText(ctx)) ?? ''
    const [id, timestamp] = [ctx.get('webhook-id'), Number(ctx.get('webhook-timestamp'))]
    const signed = { id, timestamp, body }
    const read = event.safeParse(parsed(body))
    if (!isSignedWebhook(receiverSecret, signed, ctx.get('webhook-signature'))) ctx.status = 401
    else if (!read.success) ctx.status = 400
    else {
      const receiver = String(ctx.params.receiver)
      await mailbox.events.put({ id, at: now(), receiver, event: read.data })
      ctx.status = 204
    }
  })

  router.get('/mail', async (ctx) => {
    const [mails, events] = await Promise.all([mailbox.mails.list(), mailbox.events.list()])
    await showPage(ctx, 'mailbox', { mails, events, when, mailsGoElsewhere })
  })

  router.post('/mail/empty', async (ctx) => {
    await Promise.all([mailbox.mails.clear(), mailbox.events.clear()])
    ctx.redirect('/mail')
    ctx.status = 303
  })

  router.get('/mail/:id', async (ctx) => {
    const kept = await mailbox.mails.find(String(ctx.params.id))
    if (!kept) return showPage(ctx, 'lost', {}, 404)
    const { composeMail } = await import('#outside/mail.ts')
    const raw = await composeMail(kept.mail, kept.id, { from: sender, at: kept.at })
    await showPage(ctx, 'mail', { ...kept, links: linksIn(kept.mail), raw, sender, when })
    ctx.set('Content-Security-Policy', `${pagePolicy}; frame-src 'self'`)
  })

  router.get('/mail/:id/page', async (ctx) => {
    const html = (await mailbox.mails.find(String(ctx.params.id)))?.mail.html
    if (html === undefined) return showPage(ctx, 'lost', {}, 404)
    ctx.set('Content-Security-Policy', mailPolicy)
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Referrer-Policy', 'no-referrer')
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.type = 'html'
    ctx.body = html.replace(/<head[^>]*>/i, '$&<base target="_blank">')
  })

  return router.routes() as Middleware
}

const when = (at: number) =>
  new Intl.DateTimeFormat('zh-TW', {
    timeZone: 'Asia/Taipei',
    dateStyle: 'short',
    timeStyle: 'medium',
    hourCycle: 'h23',
  }).format(at)

/** Undefined for what is no JSON at all. */
async function readText(ctx: Context): Promise<string | undefined> {
  if (!ctx.is('application/json')) return undefined
  return rawBody(ctx.req, { limit: '1mb', encoding: 'utf8' })
}

const readJson = async (ctx: Context): Promise<unknown> => parsed((await readText(ctx)) ?? '')

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
