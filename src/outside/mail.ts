/** Hands one mail to the operator's SMTP server. */
import { createTransport } from 'nodemailer'
import type { Outcome } from '#lib/delivery.ts'
import { isMailAddress, type Mail, mailDomain, type Sender } from '#lib/mail.ts'
import type { Now } from '#lib/time.ts'

export type MailServer = {
  /** `smtp://` or `smtps://`, credentials inside. */
  url: string
  from: Sender
}

/** `id` is the same at every try, and so is the Message-ID: who gets the mail twice can tell. */
export type SendMail = (mail: Mail, id: string, signal?: AbortSignal) => Promise<Outcome>

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Opens no connection. Passwords and links go over TLS, or to this very machine. */
function openTransport({ url }: MailServer) {
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const near = loopback.test(hostname)
  return createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !near,
    ignoreTLS: !secure && near,
    ...(username
      ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }
      : {}),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/** Connects, greets and signs in as before a mail, and sends none. What is wrong, if anything. */
export async function tryMailServer(server: MailServer): Promise<string | undefined> {
  try {
    await openTransport(server).verify()
    return undefined
  } catch (error) {
    const outcome = judge(error)
    return outcome.kind === 'delivered' ? undefined : outcome.why
  }
}

export function openMail(server: MailServer, now: Now): SendMail {
  const { from } = server
  const transport = openTransport(server)
  return async (mail, id, signal) => {
    if (!isMailAddress(mail.to)) return { kind: 'refused', why: 'that is no mail address' }
    try {
      const { response } = await transport.sendMail({
        envelope: { from: from.address, to: [mail.to] },
        ...messageOf(mail, id, { from, at: now() }),
        ...(signal ? { signal } : {}),
      })
      return { kind: 'delivered', answer: response }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      return judge(error)
    }
  }
}

/** The mail as it would be sent (RFC 5322). */
export async function composeMail(
  mail: Mail,
  id: string,
  stamp: { from: Sender; at: number },
): Promise<string> {
  const transport = createTransport({ streamTransport: true, buffer: true })
  const { message } = await transport.sendMail(messageOf(mail, id, stamp))
  return String(message)
}

function messageOf(
  { to, subject, text, html }: Mail,
  id: string,
  { from, at }: { from: Sender; at: number },
) {
  return {
    from: { name: from.name ?? '', address: from.address },
    to: { name: '', address: to },
    subject: subject.replaceAll(/\p{Cc}+/gu, ' '),
    text,
    ...(html === undefined ? {} : { html }),
    messageId: `<${id}@${mailDomain(from.address)}>`,
    date: new Date(at),
    // RFC 3834: nobody's "I am on holiday" needs to come back.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const words: Record<string, string> = {
  EAUTH: 'the mail server did not take our user and password',
  ENOAUTH: 'the mail server did not take our user and password',
  EDNS: 'the mail server’s name is unknown',
  ETLS: 'no safe connection to the mail server',
  ETIMEDOUT: 'the mail server did not answer in time',
}

type SmtpError = Error & { code?: string; responseCode?: number; response?: string }

/** Nodemailer's errors: `code` is its own word, `responseCode` the server's. */
function judge(error: unknown): Outcome {
  const { code = '', message, responseCode, response } = error as SmtpError
  const said = response === undefined ? {} : { answer: response }
  const why = words[code]
  if (why) return { kind: 'failed', why, ...said }
  // What OpenSSL does not trust comes without a code of its own.
  if (/certificate|altnames/i.test(message)) {
    return { kind: 'failed', why: 'the mail server’s certificate is not one we trust' }
  }
  if (!responseCode) return { kind: 'failed', why: 'the mail server could not be reached' }
  // RFC 5321 §4.2.1: 5yz will not change by itself.
  const kind = responseCode >= 500 ? 'refused' : 'failed'
  return { kind, why: `the mail server answered ${responseCode}`, ...said }
}
