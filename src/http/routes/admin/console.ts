/** The console's pages and forms: each behind admission, each form bound to its sender, all listed for the test of roles. */
import type Router from '@koa/router'
import type { FieldProblem } from '#admin/operation.ts'
import type { Permission } from '#admin/staff.ts'
import { randomToken } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import type { AdminViews, StaffPage } from '../../admin-views.ts'
import type { PageOf } from '../../answer.ts'
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
import { openAdmission, type Rules, type Staff } from './admission.ts'
import { otherStaff } from './console-problems.ts'
import { heldField, openHeldForms } from './held-forms.ts'

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

/** A route of the console, as the table of roles walks it. */
export type ConsoleRoute = {
  method: 'GET' | 'POST'
  path: string
  permission: Permission
  dangerous: boolean
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
  const { keys, answer, messages } = house
  const { admit, markOf, isMarked, orProveAnew } = openAdmission(router, house)
  const { letGo } = openHeldForms(house)
  const routes: ConsoleRoute[] = []

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
      /** How many may be typed into it, where the usual limit is too low. */
      letters?: number
      /** Asked by a page's script while she types: no form of hers. */
      aside?: boolean
    },
    handle: (ctx: Context, staff: Staff, fields: Fields, files: Files) => Promise<void> | void,
  ) {
    const { permission, dangerous = false } = rules
    routes.push({ method: 'POST', path, permission, dangerous })
    router.post(`POST ${path}`, path, async (ctx) => {
      const page = rules.page(ctx.params)
      ctx.state.pageUrl = page
      const { fields: all, files } = rules.files
        ? await readUploads(ctx, keys.form, rules.letters)
        : { fields: await readForm(ctx, keys.form, rules.letters), files: {} }
      const { [heldField]: held, ...rest } = all
      const fields: Fields = Object.assign(Object.create(null), rest)
      ctx.state.confirmTyped = fields.confirm
      // A file is not kept: she chooses it again.
      const sent = rules.files || rules.aside ? undefined : fields
      const staff = await admit(ctx, page, rules, sent)
      if (!staff) return
      if (!isMarked(ctx, staff, fields)) throw otherStaff()
      const work = async () => {
        await handle(ctx, staff, fields, files)
        if (held === undefined) return
        // It is done, and she must hear so: a secret is shown in this answer and in no other.
        await letGo(ctx, held).catch((err) => ctx.state.log.warn({ err }, 'a held form stays'))
      }
      await orProveAnew(ctx, page, work, sent)
    })
  }

  /** A form with a file too large for memory: admission comes before any of it is read. */
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
        if (!isMarked(ctx, staff, fields)) throw otherStaff()
        await orProveAnew(ctx, page, () => handle(ctx, staff, fields, file))
      } finally {
        // Of what nobody wanted the rest is dropped, so that the browser hears the answer.
        ctx.req.unpipe()
        ctx.req.resume()
      }
    })
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
      once: randomToken(),
      here: sectionOf(ctx.state.pageUrl ?? ctx.path),
      sections: Object.entries(sections).flatMap(([path, permission]) =>
        staff.may(permission) ? [path] : [],
      ),
      notice: notice ?? (done && messages.has(said) ? said : undefined),
      problems,
      confirmTyped: ctx.state.confirmTyped,
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

  return { show, act, receive, page, done, problemsFrom, isHers: isMarked, routes }
}

const sectionOf = (path: string): string =>
  Object.keys(sections)
    .filter((one) => path === one || path.startsWith(`${one}/`))
    .sort((a, b) => b.length - a.length)[0] ?? '/admin'
