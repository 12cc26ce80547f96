/** Apps of her own, for who has no staff role: she asks for one, follows what becomes of it, and looks after it. */
import { usesSecret } from '#admin/clients/registration.ts'
import { type ClientKind, clientKinds, type Settings } from '#admin/clients/schema.ts'
import { addSecret, keepDays } from '#admin/clients/secrets.ts'
import { shown, stateOf } from '#admin/clients/shown.ts'
import type { FieldProblem, Acting as StaffActing } from '#admin/operation.ts'
import { ask, findOwn, longestPurpose, mostWaiting, withdraw } from '#admin/requests/ask.ts'
import { currentOf, readWanted } from '#admin/requests/wanted.ts'
import { snippetAppOf, snippetsFor } from '#admin/snippets.ts'
import { randomToken } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import { day } from '#lib/time.ts'
import type { ClientRow } from '#store/store.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, readQuery } from '../../input.ts'
import { Problem } from '../../problem.ts'
import {
  lettersOfForm,
  linesOf,
  longest as longestSettings,
  offeredScopes,
  resourceScopes,
} from '../admin/client-form.ts'
import { wishesOf } from '../admin/requests.ts'
import { firstTime } from '../first-time.ts'
import { dateOf } from './labels.ts'
import { type Member, type MemberRoutes, notHers, toAccount } from './members.ts'

const path = '/account/clients'
const askPath = `${path}/ask`
const appPath = `${path}/app`

/** Asked for in a day, whatever becomes of it. */
const daily = { points: 20, seconds: day }

const texts = ['nameEn', 'clientUri', 'policyUri', 'tosUri', 'backchannelLogoutUri'] as const
const lists = ['redirectUris', 'postLogoutRedirectUris', 'contacts'] as const

/** Letters a field takes: beside those of an app why it is asked for. */
const longest = { ...longestSettings, purpose: longestPurpose, purposes: longestSettings.purpose }

type Problems = { field?: string; problem: Message }[]

export function ownClientRoutes({ show, act, page, done }: MemberRoutes, house: House): void {
  const { store, config, limits, messages, answer } = house
  const { resources } = config.site
  const letters = lettersOfForm(house) + longestPurpose

  const addressOf = (id: string) => `${appPath}?${new URLSearchParams({ id })}`
  const kindOf = (typed: string | undefined): ClientKind | undefined =>
    clientKinds.find((one) => one === typed)

  show('account.clients', path, async (ctx, member) => {
    const { id, at } = { id: member.account.id, at: member.acting.at }
    const ids = await store.clientOwners.clientsOf(id)
    const rows = await Promise.all(ids.map((one) => store.clients.find(one)))
    const requests = await store.clientRequests.ofAccount(id)
    page(ctx, member, 'account-clients', {
      apps: rows.flatMap((row) =>
        row
          ? [{ id: row.id, name: row.name, state: stateOf(row, at), href: addressOf(row.id) }]
          : [],
      ),
      requests: requests.map((row) => {
        const { name, change } = readWanted(row)
        return {
          id: row.id,
          name: name || row.id,
          about: change ? 'change' : 'new',
          state: row.state,
          createdAt: dateOf(row.createdAt),
          decidedAt: row.decidedAt === undefined ? undefined : dateOf(row.decidedAt),
          reason: row.reason,
        }
      }),
      actions: { ask: askPath, withdraw: `${path}/withdraw` },
    })
  })

  act('account.clients.withdraw', `${path}/withdraw`, path, async (ctx, member, { id = '' }) => {
    if (!(await withdraw(house, member.acting, id))) throw notHers(path)
    done(ctx, path, 'request-withdrawn')
  })

  /** Its first secret was made when a request of hers was approved, and shown to nobody. */
  async function isUnseen({ id, secretCreatedAt, createdAt }: ClientRow): Promise<boolean> {
    if (secretCreatedAt !== createdAt) return false
    return (await store.clientVersions.find(id, 1))?.because === 'request'
  }

  /** The app the query or the form is about, if it is hers. */
  async function findApp(member: Member, id: string): Promise<ClientRow> {
    const row = await findOwn(store, member.account.id, id)
    if (!row) throw notHers(path)
    return row
  }

  type Form = { kind: ClientKind | undefined; row?: ClientRow | undefined; values: Fields }

  function showForm(
    ctx: Context,
    member: Member,
    { kind, row, values }: Form,
    problems: Problems = [],
  ) {
    page(
      ctx,
      member,
      'account-client-ask',
      {
        kind,
        kinds: clientKinds,
        app: row && { id: row.id, name: row.name },
        values,
        scopes: kind ? offeredScopes(house, ctx.state.language, kind) : [],
        longest,
        problems,
        actions: { ask: askPath, back: row ? addressOf(row.id) : path },
      },
      { status: problems.length > 0 ? 422 : undefined },
    )
  }

  show('account.clients.ask', askPath, async (ctx, member) => {
    const { id = '', kind } = readQuery(ctx)
    if (id === '') return showForm(ctx, member, { kind: kindOf(kind), values: usualValues })
    const row = await findApp(member, id)
    const values = valuesOf(currentOf(row, resources))
    showForm(ctx, member, { kind: row.kind, row, values })
  })

  act(
    'account.clients.asked',
    askPath,
    askPath,
    async (ctx, member, fields) => {
      const { id = '', purpose = '' } = fields
      const row = id === '' ? undefined : await findApp(member, id)
      const kind = row?.kind ?? kindOf(fields.kind)
      if (!kind) return answer.redirect(ctx, askPath)
      const form = { kind, row, values: fields }
      const of = ['client requests of', member.account.id]
      const [count] = await limits.counters.hit({ of, seconds: daily.seconds })
      if (count.points > daily.points) {
        limits.refused(ctx, 'client-request', 'account')
        return showForm(ctx, member, form, [{ problem: 'admin.problem.request-daily' }])
      }
      const scopes = offeredScopes(house, ctx.state.language, kind).map(({ scope }) => scope)
      const asked = await ask(house, member.acting, {
        ...(row ? { clientId: row.id } : {}),
        wanted: readWish(fields, kind, scopes),
        purpose,
      })
      switch (asked.kind) {
        case 'asked':
          return done(ctx, path, 'request-made')
        case 'rejected':
          return showForm(ctx, member, form, problemsFrom(asked.problems.map(atField)))
        case 'not-hers':
          throw notHers(path)
        case 'too-many': {
          const problem = { key: 'admin.problem.request-too-many', params: { most: mostWaiting } }
          return showForm(ctx, member, form, [{ problem }])
        }
        case 'waits':
        case 'nothing-changed':
          return showForm(ctx, member, form, [{ problem: `admin.problem.request-${asked.kind}` }])
      }
    },
    { letters },
  )

  const problemsFrom = (problems: FieldProblem[]): Problems =>
    problems.map(({ field, code = 'invalid', params = {} }) => {
      const key = `admin.problem.${code}`
      return { field, problem: messages.has(key) ? { key, params } : 'admin.problem.invalid' }
    })

  show('account.clients.app', appPath, async (ctx, member) => {
    const { id = '' } = readQuery(ctx)
    if (id === '') return answer.redirect(ctx, path)
    const row = await findApp(member, id)
    const { settings, secret } = shown(row, member.acting.at, resourceScopes(house))
    const app = snippetAppOf(config.issuer, resources, { id, settings: settings as Settings })
    const date = (time: string | undefined) => (time === undefined ? undefined : new Date(time))
    const unseen = await isUnseen(row)
    page(ctx, member, 'account-client', {
      app: { id, name: row.name, kind: row.kind, state: stateOf(row, member.acting.at) },
      wishes: wishesOf(settings as Record<string, unknown>),
      scopes: settings.scopes,
      issuer: config.issuer,
      secret: usesSecret(row.metadata)
        ? {
            unseen,
            createdAt: date(secret?.createdAt),
            expiresAt: date(secret?.expiresAt),
            formerUntil: date(secret?.formerExpiresAt),
          }
        : undefined,
      keepDays: unseen ? [0] : keepChoices,
      once: randomToken(),
      snippets: snippetsFor(app),
      actions: { secret: `${path}/secret`, change: `${askPath}?${new URLSearchParams({ id })}` },
    })
  })

  act(
    'account.clients.secret',
    `${path}/secret`,
    path,
    async (ctx, member, { id = '', keep = '', once }) => {
      const row = await findApp(member, id)
      // A page that was opened before there was one in use does not ask: it must not end that one at once.
      const usual = (await isUnseen(row)) ? 0 : keepDays.usual
      const days = keepChoices.find((one) => String(one) === keep) ?? usual
      const made = await firstTime(house, member.account.id, once, () =>
        addSecret(house, ownerBy(member), { id, keep: days }),
      )
      if (!made) return answer.redirect(ctx, `${addressOf(id)}&done=secret-sent-twice`)
      if (made.kind === 'refused') {
        const back = { ...toAccount, href: addressOf(id), labelKey: 'next.back', primary: true }
        throw new Problem(409, `admin.${made.why}`, { next: [back, toAccount] })
      }
      if (made.kind !== 'done') throw notHers(path)
      const { secret, formerExpiresAt } = made.value
      page(ctx, member, 'account-client-secret', {
        app: { id, name: row.name },
        secret,
        formerUntil: formerExpiresAt === undefined ? undefined : dateOf(formerExpiresAt),
        on: addressOf(id),
      })
    },
    { fresh: true },
  )
}

/** Days the secret before a new one stays good; the first is chosen unless she says otherwise. */
const keepChoices = [keepDays.usual, 7, 1, 0]

/** A problem of the third line is one of its field. */
const atField = <P extends { field: string }>(problem: P): P => {
  const [first = ''] = problem.field.split('.')
  return { ...problem, field: first === 'purposes' ? 'scopes' : first }
}

/** As somebody who reaches the apps she owns, and nothing else. */
const ownerBy = ({ acting }: Member): StaffActing => ({
  actor: acting.accountId,
  grants: [],
  fresh: true,
  where: acting.where,
  language: acting.language,
  reach: { kind: 'some', counties: [], appsOf: acting.accountId },
  at: acting.at,
})

const usualValues: Fields = { 'scope.profile': 'on' }

function readWish(fields: Fields, kind: string, offered: string[]): Record<string, unknown> {
  const wish: Record<string, unknown> = { kind, name: fields.name ?? '' }
  for (const name of texts) wish[name] = fields[name]?.trim() ?? ''
  for (const name of lists) wish[name] = linesOf(fields[name])
  const scopes = offered.filter((scope) => fields[`scope.${scope}`])
  wish.scopes = ['openid', ...scopes]
  wish.purposes = Object.fromEntries(
    scopes.map((scope) => [
      scope,
      { 'zh-TW': fields[`purpose.${scope}.zh`] ?? '', en: fields[`purpose.${scope}.en`] ?? '' },
    ]),
  )
  return wish
}

function valuesOf(settings: ReturnType<typeof currentOf>): Fields {
  const values: Record<string, string> = { name: settings.name }
  for (const name of texts) values[name] = settings[name] ?? ''
  for (const name of lists) values[name] = settings[name].join('\n')
  for (const scope of settings.scopes ?? []) values[`scope.${scope}`] = 'on'
  for (const [scope, words] of Object.entries(settings.purposes)) {
    values[`purpose.${scope}.zh`] = words['zh-TW'] ?? ''
    values[`purpose.${scope}.en`] = words.en ?? ''
  }
  return values
}
