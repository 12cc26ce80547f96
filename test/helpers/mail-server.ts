/** A small SMTP server on loopback that keeps what it is given. */

import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export type Received = { from: string; to: string[]; raw: string; user?: string; tls: boolean }

/** Its answers to mails; by default it takes all of them, from whoever signs in as `citygate` / `a secret`. */
export async function openMailServer(
  t: ExecutionContext,
  options: SMTPServerOptions = {},
): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = []
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: ({ username, password }, _session, done) =>
      username === 'citygate' && password === 'a secret'
        ? done(null, { user: username })
        : done(Object.assign(new Error('who are you?'), { responseCode: 535 })),
    async onData(stream, session, done) {
      const { mailFrom, rcptTo } = session.envelope
      const raw = await text(stream)
      received.push({
        from: mailFrom ? mailFrom.address : '',
        to: rcptTo.map(({ address }) => address),
        raw,
        ...(typeof session.user === 'string' ? { user: session.user } : {}),
        tls: session.secure,
      })
      done(null, 'taken as number 7')
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, received }
}
