/** A member on a real store, and what the use-cases of her account are lent: all real, but for the clock. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Acting } from '#account/act.ts'
import { openCounters } from '#accounts/counters.ts'
import { openPasswordRules } from '#accounts/password-rules.ts'
import { openPasswords } from '#accounts/passwords.ts'
import { openSignInLimits } from '#accounts/sign-in-limits.ts'
import type { Mail } from '#lib/mail.ts'
import { openMessages } from '#lib/messages.ts'
import { openLetters } from '#outside/letters.ts'
import type { Store } from '#store/store.ts'
import { buildStore, type Engine } from '../helpers/database.ts'

const viewsDir = join(import.meta.dirname, '..', '..', 'views')
const messages = openMessages(join(viewsDir, 'messages'))
export const issuer = 'http://localhost:3000'
const site = { title: { 'zh-TW': '教育雲', en: 'Edu Cloud' } }
export const writeLetter = openLetters({ viewsDir, messages, site, issuer })

export type Her = {
  store: Store
  id: string
  /** Moves with the test. */
  clock: { at: number }
  acting(): Acting & { sessionUid: string }
  /** Every mail that waits, taken out. */
  mails(): Promise<Mail[]>
  /** Actions in the audit trail, newest first. */
  trail(): Promise<string[]>
  ports: ReturnType<typeof openPorts>
}

export const password = 'horse battery staple 42'

type Built = {
  store?: Store
  /** False: she has no name of her own to sign in with. */
  account?: string | false
  hasPassword?: boolean
  recovery?: { value: string; confirmed: boolean } | undefined
}

export async function buildMember(
  t: ExecutionContext,
  built: Built = {},
  engine?: Engine,
): Promise<Her> {
  const { account = 'wang@mail.edu.tw', hasPassword = true, recovery } = built
  const store = built.store ?? (await buildStore(t, engine))
  const id = randomUUID()
  const clock = { at: 1_000_000 }
  const { at } = clock
  const ports = openPorts(t, store, clock)
  await store.accounts.create({
    id,
    kind: 'person',
    status: 'active',
    profile: { name: { value: '王小明', by: 'self', at } },
    createdAt: at,
    updatedAt: at,
  })
  if (account) {
    await store.identifiers.take({ type: 'email', value: account, accountId: id, verifiedAt: at })
  }
  if (hasPassword) {
    const secret = await ports.passwords.hash(password)
    const row = { id: randomUUID(), accountId: id, type: 'password' as const, secret }
    await store.credentials.create({ ...row, createdAt: at, updatedAt: at })
  }
  if (recovery) {
    const { value, confirmed } = recovery
    const confirmedAt = confirmed ? { confirmedAt: at } : {}
    await store.recoveryAddresses.put({ accountId: id, value, createdAt: at, ...confirmedAt })
  }
  return {
    store,
    id,
    clock,
    ports,
    acting: () => ({
      accountId: id,
      sessionUid: 'this-session',
      at: clock.at,
      language: 'zh-TW',
      where: { address: '192.0.2.7', ref: 'REF' },
    }),
    async mails() {
      const mails: Mail[] = []
      const waiting = await store.outbox.list()
      for (const { id, kind } of waiting.filter((one) => one.kind === 'mail')) {
        const taken = await store.outbox.take(id, { at: clock.at, until: clock.at + 60 })
        if (taken && kind === 'mail') mails.push(taken.payload as Mail)
        await store.outbox.drop(id)
      }
      return mails
    },
    trail: async () =>
      (await store.auditReads.list({ limit: 50, actor: id })).map(
        ({ action, outcome }) => `${action} ${outcome}`,
      ),
  }
}

function openPorts(t: ExecutionContext, store: Store, clock: { at: number }) {
  const now = () => clock.at * 1000
  const passwords = openPasswords({ cost: { memoryCost: 1_024, timeCost: 1 } })
  t.teardown(() => passwords.close())
  const counters = openCounters({ store, now, key: Buffer.alloc(32, 3) })
  return {
    now,
    passwords,
    counters,
    writeLetter,
    judgePassword: openPasswordRules(),
    dataKey: Buffer.alloc(32, 9),
    limits: openSignInLimits({
      counters,
      rules: {
        waits_seconds: [0, 0, 2, 4, 900],
        failures_per_source_per_minute: 20,
        failures_per_account_per_hour: 100,
      },
      log: { warn: () => {} },
    }),
    from: () => ({ source: '192.0.2.7', sourceFailures: 20 }),
    linkTo: (token: string) => `${issuer}/account/email/confirm/${token}`,
    isConnected: (id: string) => id !== 'gone',
    labelOf: (id: string) => (id === 'ntpc' ? '新北市' : id),
    graceSeconds: 30 * 24 * 60 * 60,
    link: `${issuer}/account`,
  }
}

/** A session with a grant and its refresh token, as node-oidc-provider and our adapter leave them. */
export async function addSession(store: Store, accountId: string, uid: string, clientId = 'app') {
  const grantId = `grant-${uid}-${clientId}`
  const expiresAt = 9_000_000
  await store.payloads.save([
    {
      id: `session-${uid}`,
      model: 'Session',
      uid,
      accountId,
      expiresAt,
      payload: { uid, accountId, authorizations: { [clientId]: { sid: `sid-${uid}`, grantId } } },
    },
    { id: grantId, model: 'Grant', grantId, accountId, clientId, expiresAt, payload: {} },
    {
      id: `token-${uid}-${clientId}`,
      model: 'RefreshToken',
      grantId,
      accountId,
      clientId,
      expiresAt,
      payload: {},
    },
  ])
}
