/**
 * What stands before every page and act of staff: who she is, that she proved herself with both factors, that her role
 * lets her, that the form was hers and, for dangerous acts, that the proof is fresh.
 */
import type Router from '@koa/router'
import type { z } from 'zod'
import {
  type Barred,
  type FieldProblem,
  type Operation,
  type Outcome,
  perform,
} from '#admin/operation.ts'
import { type By, type Grant, type Permission, provedSeconds, reachOf } from '#admin/staff.ts'
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { consoleClientId } from '#oidc/provider.ts'
import type { AccountRow } from '#store/store.ts'
import type { AdminViews, StaffPage } from '../../admin-views.ts'
import type { PageOf } from '../../answer.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context, State } from '../../context.ts'
import type { House } from '../../house.ts'
import {
  type Fields,
  type Files,
  formToken,
  readFileForm,
  readForm,
  readQuery,
  readUploads,
} from '../../input.ts'
import { home, type NextStep, Problem } from '../../problem.ts'

/** Seconds since she proved herself with both factors: for dangerous acts, and to send in a form that leads to one. */
export const fresh = { page: 15 * 60, act: 20 * 60 }

/** The console's parts, with what one must be let to see them. */
export const sections = {
  '/admin': 'console.open',
  '/admin/clients': 'clients.read',
  '/admin/requests': 'requests.decide',
  '/admin/registration': 'registration.write',
  '/admin/people': 'people.read',
  '/admin/imports': 'people.import',
  '/admin/upstreams': 'upstreams.read',
  '/admin/keys': 'keys.read',
  '/admin/outbox': 'outbox.read',
  '/admin/audit': 'audit.read',
  '/admin/statistics': 'statistics.read',
  '/admin/system': 'system.read',
  '/admin/staff': 'staff.read',
} as const satisfies Record<string, Permission>
export type Section = keyof typeof sections

/** A route of the console, as the table of roles walks it. */
export type ConsoleRoute = {
  method: 'GET' | 'POST'
  path: string
  permission: Permission
  dangerous: boolean
}

type Rules = {
  permission: Permission
  /** Which part it belongs to; of the longest path that fits, if not said. */
  section?: Section
  /** To be shown it wants a fresh proof, as its acts do. */
  dangerous?: boolean
}

export type Staff = {
  account: AccountRow
  by: By
  /** Does it, or says why not. A stale proof is seen to before: of the outcomes only those of `Outcome` come back. */
  perform<I extends z.ZodType, O extends z.ZodType>(
    operation: Operation<I, O>,
    input: z.input<I>,
  ): Promise<Outcome<z.output<O>>>
  may(permission: Permission): boolean
}

type Locals = {
  [V in keyof AdminViews as AdminViews[V] extends StaffPage ? V : never]: Omit<
    AdminViews[V],
    keyof StaffPage
  >
}

type More = {
  status?: number
  notice?: Message | undefined
  problems?: StaffPage['problems']
  formAction?: string[]
  connect?: boolean
}

export type Console = ReturnType<typeof openConsole>

export function openConsole(router: Router<State>, house: House) {
  const { store, config, keys, answer, now, messages } = house
  const routes: ConsoleRoute[] = []

  /** Of the browser and the path: nobody else can make us send her there. */
  const sealPath = (ctx: Context, path: string) =>
    `${Buffer.from(path).toString('base64url')}.${hmac(keys.form, JSON.stringify(['console', ctx.state.device, path]))}`

  function openPath(ctx: Context, state: string): string {
    const path = Buffer.from(state.split('.')[0] ?? '', 'base64url').toString()
    return equalInConstantTime(state, sealPath(ctx, path)) ? path : '/admin'
  }

  /** Through our own sign-in and the second factor, and back to the page. */
  function signInFirst(ctx: Context, path: string, anew: boolean) {
    const request = new URLSearchParams({
      client_id: consoleClientId,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${config.issuer}/admin/signed-in`,
      state: sealPath(ctx, path),
      ui_locales: ctx.state.language,
      acr_values: config.site.acr.two_factor,
      ...(anew ? { prompt: 'second_factor' } : {}),
    })
    answer.redirect(ctx, `/auth?${request}`)
  }

  router.get('admin.signed-in', '/admin/signed-in', async (ctx) => {
    const { state = '', error } = readQuery(ctx)
    // She cancelled: asking again would be a circle.
    if (error) return answer.redirect(ctx, '/')
    const path = openPath(ctx, state)
    // She came back without both factors: she has none, or the provider was not asked by us.
    const found = await findStaff(ctx)
    if (found.kind === 'stranger') throw notStaff()
    if (found.kind === 'one-factor') throw noSecondFactor()
    if (found.kind === 'nobody') throw notStaff()
    answer.redirect(ctx, path)
  })

  type Found =
    | { kind: 'nobody' | 'stranger' | 'one-factor' }
    | { kind: 'staff'; account: AccountRow; by: By; provedAt: number }

  async function findStaff(ctx: Context): Promise<Found> {
    const session = await house.provider.Session.get(ctx as never)
    const { accountId, loginTs = 0, acr } = session
    const account = accountId ? await store.accounts.find(accountId) : undefined
    if (account?.status !== 'active') return { kind: 'nobody' }
    const grants = (await store.staffRoles.of(account.id)) as unknown as Grant[]
    if (grants.length === 0) return { kind: 'stranger' }
    // Ours to say: an upstream's `amr` may name factors, too.
    if (acr !== config.site.acr.two_factor) return { kind: 'one-factor' }
    const by: By = {
      actor: account.id,
      grants,
      fresh: seconds(now) - loginTs <= (ctx.method === 'GET' ? fresh.page : fresh.act),
      where: circumstancesOf(ctx),
      language: ctx.state.language,
    }
    return { kind: 'staff', account, by, provedAt: loginTs }
  }

  /** Who may be here; undefined where she was sent to prove herself first. */
  async function admit(
    ctx: Context,
    page: string,
    { permission, dangerous = false }: Rules,
  ): Promise<Staff | undefined> {
    const found = await findStaff(ctx)
    if (found.kind === 'stranger') throw notStaff()
    if (found.kind !== 'staff') {
      signInFirst(ctx, page, false)
      return undefined
    }
    const { account, by, provedAt } = found
    if (seconds(now) - provedAt > provedSeconds) {
      signInFirst(ctx, page, true)
      return undefined
    }
    if (!reachOf(by, permission)) throw forbidden()
    if (dangerous && !by.fresh) {
      signInFirst(ctx, page, true)
      return undefined
    }
    return {
      account,
      by,
      may: (wanted) => reachOf(by, wanted) !== undefined,
      async perform(one, input) {
        const outcome = (await perform(house, by, one as Operation, input)) as
          | Outcome<z.output<typeof one.output>>
          | Barred
        if (outcome.kind === 'forbidden') throw forbidden()
        if (outcome.kind === 'not-fresh') throw new StaleError()
        return outcome
      },
    }
  }

  /** Whose form it is: in another tab somebody else may have signed in since it was shown. */
  const markOf = (ctx: Context, { account }: Pick<Staff, 'account'>) =>
    hmac(keys.form, JSON.stringify(['staff', ctx.state.device, account.id]))

  /** A page of the console. `path` as the router has it: `/admin/clients/:id`. */
  function show(
    path: string,
    rules: Rules,
    handle: (ctx: Context, staff: Staff) => Promise<void> | void,
  ) {
    const { permission, dangerous = false } = rules
    routes.push({ method: 'GET', path, permission, dangerous })
    router.get(`GET ${path}`, path, async (ctx) => {
      const staff = await admit(ctx, ctx.originalUrl, rules)
      if (!staff) return
      await orProveAnew(ctx, ctx.originalUrl, () => handle(ctx, staff))
    })
  }

  /** A form of the console; `page` is where it stands: where she comes back to when she has to prove herself anew. */
  function act(
    path: string,
    rules: Rules & {
      page: (params: Record<string, string>) => string
      files?: boolean
    },
    handle: (ctx: Context, staff: Staff, fields: Fields, files: Files) => Promise<void> | void,
  ) {
    const { permission, dangerous = false } = rules
    routes.push({ method: 'POST', path, permission, dangerous })
    router.post(`POST ${path}`, path, async (ctx) => {
      const page = rules.page(ctx.params)
      ctx.state.pageUrl = page
      const { fields, files } = rules.files
        ? await readUploads(ctx, keys.form)
        : { fields: await readForm(ctx, keys.form), files: {} }
      const staff = await admit(ctx, page, rules)
      if (!staff) return
      if (!equalInConstantTime(fields.staff ?? '', markOf(ctx, staff))) throw otherStaff()
      await orProveAnew(ctx, page, () => handle(ctx, staff, fields, files))
    })
  }

  /** A form with a file too large to be kept: who sends it is asked before any of it is read. */
  function receive(
    path: string,
    rules: Rules & {
      page: string
      /** How large the file may be. */
      bytes: number
    },
    handle: (
      ctx: Context,
      staff: Staff,
      fields: Fields,
      file: { name: string; bytes: AsyncIterable<Uint8Array> } | undefined,
    ) => Promise<void>,
  ) {
    const { permission, dangerous = false, page, bytes } = rules
    routes.push({ method: 'POST', path, permission, dangerous })
    router.post(`POST ${path}`, path, async (ctx) => {
      ctx.state.pageUrl = page
      const staff = await admit(ctx, page, rules)
      if (!staff) return
      const { fields, file } = await readFileForm(ctx, keys.form, bytes)
      try {
        if (!equalInConstantTime(fields.staff ?? '', markOf(ctx, staff))) throw otherStaff()
        await orProveAnew(ctx, page, () => handle(ctx, staff, fields, file))
      } finally {
        // Of what nobody wanted the rest is dropped, so that the browser hears the answer.
        ctx.req.unpipe()
        ctx.req.resume()
      }
    })
  }

  async function orProveAnew(ctx: Context, page: string, work: () => Promise<void> | void) {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof StaleError)) throw error
      signInFirst(ctx, page, true)
    }
  }

  /** Renders a page, with what all of them have. */
  function page<View extends keyof Locals>(
    ctx: Context,
    staff: Staff,
    view: View,
    locals: Locals[View],
    { status, notice, problems = [], formAction, connect }: More = {},
  ) {
    const { done = '' } = ctx.method === 'GET' ? readQuery(ctx) : {}
    const said = `admin.done.${done}`
    const common: StaffPage = {
      formToken: formToken(keys.form, ctx.state.device ?? ''),
      staff: markOf(ctx, staff),
      here: sectionOf(ctx.state.pageUrl ?? ctx.path),
      sections: Object.entries(sections).flatMap(([path, permission]) =>
        staff.may(permission) ? [path] : [],
      ),
      notice: notice ?? (done && messages.has(said) ? said : undefined),
      problems,
    }
    answer.page(ctx, {
      view,
      locals: { ...locals, ...common },
      status: status ?? (problems.length > 0 ? 422 : undefined),
      formAction,
      connect,
      user: { name: staff.account.profile.name?.value ?? '' },
    } as PageOf<View>)
  }

  /** What was wrong with a form, in words: the field's own where there are some, else those of its kind. */
  const problemsFrom = (problems: readonly FieldProblem[]): StaffPage['problems'] =>
    problems.map(({ field, code = 'invalid', params = {} }) => {
      const key = `admin.problem.${code}`
      return { field, problem: messages.has(key) ? { key, params } : 'admin.problem.invalid' }
    })

  /** On to a page after an act (PRG), which says what was done (`admin.done.<what>`). */
  const done = (ctx: Context, path: string, what: string) =>
    answer.redirect(ctx, `${path}${path.includes('?') ? '&' : '?'}done=${what}`)

  return { show, act, receive, page, done, problemsFrom, routes }
}

/** The proof grew old between the page and the operation. */
class StaleError extends Error {
  override name = 'StaleError'
}

const sectionOf = (path: string): string =>
  Object.keys(sections)
    .filter((one) => path === one || path.startsWith(`${one}/`))
    .sort((a, b) => b.length - a.length)[0] ?? '/admin'

/** What an outcome other than `done` is on a page, where the page itself has no better way to say it. */
export function problemOf(
  outcome: Exclude<Outcome<never>, { kind: 'done' }>,
  back: string,
): Problem {
  const next: NextStep[] = [
    { id: 'back', kind: 'link', href: back, labelKey: 'next.back', primary: true },
    toConsole,
  ]
  switch (outcome.kind) {
    case 'unknown':
      return new Problem(404, 'admin.unknown', { next })
    case 'conflict':
      return new Problem(409, 'admin.conflict', { next })
    case 'refused':
      return new Problem(409, `admin.${outcome.why}`, { next })
    case 'rejected':
      return new Problem(400, 'admin.rejected', { next })
  }
}

export const toConsole: NextStep = {
  id: 'console',
  kind: 'link',
  href: '/admin',
  labelKey: 'next.console',
}

const notStaff = () => new Problem(403, 'admin.not-staff', { next: [{ ...home, primary: true }] })
const noSecondFactor = () =>
  new Problem(403, 'admin.no-second-factor', { next: [{ ...home, primary: true }] })
const forbidden = () =>
  new Problem(403, 'admin.forbidden', { next: [{ ...toConsole, primary: true }] })
const otherStaff = () =>
  new Problem(409, 'admin.other-staff', { next: [{ ...toConsole, primary: true }, home] })
