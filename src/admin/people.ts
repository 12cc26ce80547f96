/** What staff do with people's accounts. */
import { z } from 'zod'
import { createLocalAccount, type LocalPorts } from '#accounts/local.ts'
import { indexPeople } from '#accounts/people-keys.ts'
import type { Store } from '#store/store.ts'
import type { FieldProblem } from './clients.ts'

/** ASVS 5.0 §6.2: length counts, composition rules do not. */
const newPerson = z.strictObject({
  account: z
    .string()
    .trim()
    .regex(
      /^[^\s@]{1,64}(@[^\s@.]+(\.[^\s@.]+)+)?$/,
      'must be a user name or an e-mail address without blanks',
    ),
  name: z.string().trim().min(1, 'must not be empty').max(100),
  password: z
    .string()
    .min(10, 'must have at least 10 characters')
    .max(128, 'must have at most 128 characters'),
})

export type Added =
  | { kind: 'created'; accountId: string }
  | { kind: 'rejected'; problems: FieldProblem[] }

/** Makes a local account that may sign in at once, or says everything that is wrong and changes nothing. */
export async function addPerson(
  store: Store,
  input: unknown,
  ports: Pick<LocalPorts, 'now' | 'passwords'> & { actor: string },
): Promise<Added> {
  const parsed = newPerson.safeParse(input)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      field: path.join('.'),
      message,
    }))
    return { kind: 'rejected', problems }
  }
  const made = await createLocalAccount(store, { ...parsed.data, by: 'staff' }, ports)
  if (made.kind === 'taken') {
    return { kind: 'rejected', problems: [{ field: 'account', message: 'is taken' }] }
  }
  await indexPeople(store, [made.accountId])
  return made
}
