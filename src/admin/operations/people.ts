/** What staff can do about people within their reach; upon somebody who has a role, only those who may change staff. */
import { z } from 'zod'
import { nothing, type Operation, operation } from '../operation.ts'
import { paged } from '../paging.ts'
import {
  closePerson,
  endSessionsOf,
  reactivatePerson,
  sendResetTo,
  suspendPerson,
  unlockPerson,
} from '../people/acts.ts'
import { createPerson, updatePerson } from '../people/change.ts'
import { mergePeople, undoMergeOf } from '../people/join.ts'
import { acceptLink, unlink } from '../people/links.ts'
import { findPerson } from '../people/person.ts'
import { sub } from '../people/reach.ts'
import { searchInput, searchOutput, searchPeople } from '../people/search.ts'
import { person } from '../people/shapes.ts'
import { listSignIns, signInsOutput } from '../people/sign-ins.ts'
import { unmask } from '../people/unmask.ts'

const accountShape = /^[^\s@\p{C}<>]{1,64}(@[^\s@\p{C}<>.]+(\.[^\s@\p{C}<>.]+)+)?$/u

const id = z.string().regex(/^[\w-]{1,64}$/)
/** Why, for the audit trail: one line, whatever was typed. */
const reason = z
  .string()
  .max(500)
  .transform((text) => text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim())
  .pipe(z.string().min(1, 'must say why'))

export const listPeople = operation({
  id: 'people.list',
  summary:
    'Lists people by name, account, address or an upstream’s subject, by school, county and status.',
  permission: 'people.read',
  method: 'GET',
  path: '/people',
  input: searchInput,
  output: searchOutput,
  run: searchPeople,
})

export const getPerson = operation({
  id: 'people.get',
  summary: 'Reads one person: profile, ways in, schools, sessions, apps, what she agreed to.',
  permission: 'people.read',
  method: 'GET',
  path: '/people/{sub}',
  input: z.strictObject({ sub }),
  output: person,
  run: (ports, by, input) => findPerson(ports, by, input.sub),
})

export const listPersonSignIns = operation({
  id: 'people.signIns',
  summary: 'Lists one person’s sign-ins, the newest first.',
  permission: 'people.read',
  method: 'GET',
  path: '/people/{sub}/sign-ins',
  input: z.strictObject({ sub, ...paged }),
  output: signInsOutput,
  run: listSignIns,
})

export const addOnePerson = operation({
  id: 'people.create',
  summary:
    'Makes a local account. Without a password she is mailed a link, or one is made and told once.',
  permission: 'people.write',
  method: 'POST',
  path: '/people',
  input: z.strictObject({
    account: z
      .string()
      .trim()
      .min(1, 'must not be empty')
      .max(200)
      .refine((text) => text === '' || accountShape.test(text), {
        error: 'must be a user name or an e-mail address without blanks',
        params: { code: 'people-account' },
      }),
    name: z.string().trim().min(1).max(100),
    /** Where a link to set a password is sent. */
    recovery: z.string().trim().toLowerCase().max(254).optional(),
    password: z.string().max(200).optional(),
  }),
  output: z.object({
    sub: z.string(),
    /** Made here; told now and never again. */
    password: z.string().optional(),
    /** Where the link went, masked. */
    to: z.string().optional(),
  }),
  run: createPerson,
})

/** How long each may be is told by its own rule. */
const said = z.string().max(1000).optional()

export const changePerson = operation({
  id: 'people.update',
  summary: 'Changes profile fields, which staff then vouch for; an empty text removes one.',
  permission: 'people.write',
  method: 'PATCH',
  path: '/people/{sub}',
  input: z.strictObject({
    sub,
    version: z.string().max(64).optional(),
    name: said,
    nickname: said,
    title: said,
    phoneNumber: said,
    gender: said,
  }),
  output: z.object({ changed: z.array(z.string()) }),
  run: updatePerson,
})

const ended = z.object({ sessionsEnded: z.number() })

export const suspend = operation({
  id: 'people.suspend',
  summary: 'Keeps a person out: her sessions, tokens and links end.',
  permission: 'people.write',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/suspend',
  input: z.strictObject({ sub, reason }),
  output: ended,
  run: suspendPerson,
})

export const reactivate = operation({
  id: 'people.reactivate',
  summary: 'Lets a suspended person in again.',
  permission: 'people.write',
  method: 'POST',
  path: '/people/{sub}/reactivate',
  input: z.strictObject({ sub, reason }),
  output: nothing,
  run: reactivatePerson,
})

export const close = operation({
  id: 'people.close',
  summary:
    'Closes an account as its member would: she may have it back for some days, then it is erased.',
  permission: 'people.write',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/close',
  input: z.strictObject({ sub, reason }),
  output: ended,
  run: closePerson,
})

export const unlock = operation({
  id: 'people.unlock',
  summary: 'Lifts what keeps her from trying her password again.',
  permission: 'people.write',
  method: 'POST',
  path: '/people/{sub}/unlock',
  input: z.strictObject({ sub }),
  output: z.object({ lifted: z.number() }),
  run: unlockPerson,
})

export const endPersonSessions = operation({
  id: 'people.endSessions',
  summary: 'Ends one of her sessions, or all of them with every token.',
  permission: 'people.write',
  method: 'POST',
  path: '/people/{sub}/end-sessions',
  input: z.strictObject({ sub, session: id.optional() }),
  output: z.object({ ended: z.number() }),
  run: endSessionsOf,
})

export const sendReset = operation({
  id: 'people.sendReset',
  summary: 'Mails her a link to set a new password, to an address she keeps herself.',
  permission: 'people.write',
  method: 'POST',
  path: '/people/{sub}/send-reset',
  input: z.strictObject({ sub }),
  /** Where to, masked. */
  output: z.object({ to: z.string() }),
  run: sendResetTo,
})

export const unlinkIdentity = operation({
  id: 'people.unlinkIdentity',
  summary: 'Unlinks an upstream login from her account; whoever came in by it is out.',
  permission: 'people.write',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/identities/{identity}/unlink',
  input: z.strictObject({ sub, identity: id }),
  output: z.object({ waysLeft: z.number() }),
  run: unlink,
})

export const acceptIdentity = operation({
  id: 'people.acceptIdentity',
  summary: 'Settles a stopped sign-in: it is the same person still, and her next one is let in.',
  permission: 'people.write',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/identities/{identity}/accept',
  input: z.strictObject({ sub, identity: id }),
  output: nothing,
  run: acceptLink,
})

export const merge = operation({
  id: 'people.merge',
  summary: 'Joins another account of the same person to this one.',
  permission: 'people.write',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/merge',
  input: z.strictObject({
    sub,
    other: sub,
    reason,
    /** The other account's second factor is not asked for: only where somebody made sure who she is. */
    passFactor: z.boolean().default(false),
  }),
  output: z.object({ merge: z.string() }),
  run: mergePeople,
})

export const undoMerge = operation({
  id: 'people.undoMerge',
  summary:
    'Separates two joined accounts; with force even where something cannot be put back as it was.',
  permission: 'people.write',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/merges/{merge}/undo',
  input: z.strictObject({ sub, merge: id, reason, force: z.boolean().default(false) }),
  output: z.object({
    kept: z.string(),
    /** For who reaches everybody. */
    merged: z.string().optional(),
    left: z.array(z.object({ table: z.string(), why: z.string() })),
  }),
  run: undoMergeOf,
})

export const unmaskPerson = operation({
  id: 'people.unmask',
  summary: 'Shows one masked thing of hers, for a reason that is kept in the audit trail.',
  permission: 'people.unmask',
  dangerous: true,
  method: 'POST',
  path: '/people/{sub}/unmask',
  input: z.strictObject({
    sub,
    /** `profile:phone_number`, `recovery:`, `guardian:`, `number:<type>`, `claims:<identity>`. */
    field: z.string().regex(/^[a-z]+:[\w-]{0,64}$/),
    reason,
  }),
  output: z.object({ field: z.string(), value: z.string() }),
  run: unmask,
})

export const peopleOperations: readonly Operation[] = [
  listPeople,
  getPerson,
  listPersonSignIns,
  addOnePerson,
  changePerson,
  suspend,
  reactivate,
  close,
  unlock,
  endPersonSessions,
  sendReset,
  unlinkIdentity,
  acceptIdentity,
  merge,
  undoMerge,
  unmaskPerson,
]
