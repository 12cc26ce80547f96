/** Whose account and password these are: found by the account, proven by signing in to the directory as her. */
import { randomUUID } from 'node:crypto'
import { Filter, FilterParser } from 'ldapts'
import type { LdapSettings } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'
import type { DirectoryEntry } from './answers.ts'
import { type Directory, type DirectoryAddress, inDirectory, success } from './directory.ts'

export type Typed = { account: string; password: string }
export type Service = { dn: string; password: string } | undefined

/** Result codes (RFC 4511 appendix A.1) that say no to her, not that something is broken. */
const refusals = new Set([
  // constraintViolation: a password policy; noSuchObject, inappropriateAuthentication, invalidCredentials;
  19,
  32, 48, 49,
  // insufficientAccessRights, unwillingToPerform: an account that is locked or switched off.
  50, 53,
])
const busy = new Set([51, 52])
const timeLimitExceeded = 3
const sizeLimitExceeded = 4

/** The same words whether it is the account or the password: nobody learns who has an account. */
const refused = () => new Fault('refused', 'no such account with this password')

/** Throws a Fault: `refused` for an account or password that is wrong. */
export async function findWho(
  address: DirectoryAddress,
  settings: LdapSettings,
  service: Service,
  typed: Typed,
): Promise<DirectoryEntry> {
  const { account, password } = checkTyped(typed)
  const filter = filterFor(settings.filter, account)
  return inDirectory(address, async (directory) => {
    await bindAs(directory, service)
    const found = await directory.search({
      baseDN: settings.base_dn,
      scope: settings.scope,
      attributes: [...new Set([...settings.attributes, settings.subject])],
      filter,
    })
    if (found.code !== success && found.code !== sizeLimitExceeded)
      throw unexpected('the search', found.code)
    const [one] = found.entries
    // An empty DN would be an anonymous bind, which succeeds with any password (RFC 4513 §5.1.1).
    const she = found.code === success && found.entries.length === 1 && one?.dn ? one : undefined
    // Nobody, or two: asked all the same, so that it takes as long and as many messages.
    const dn = she?.dn ?? `cn=${randomUUID()},${settings.base_dn}`
    const code = await directory.bind(dn, password)
    if (code !== success && !refusals.has(code)) throw unexpected('her sign-in', code)
    if (code !== success || !she) throw refused()
    return she
  })
}

/** As the service, if there is one. Throws a Fault. */
export async function bindAs(directory: Directory, service: Service): Promise<void> {
  if (!service) return
  const code = await directory.bind(service.dn, service.password)
  if (code !== success) throw unexpected('the service’s sign-in', code)
}

/**
 * Before anything is sent: a bind without a password succeeds at many directories and proves nothing (RFC 4513
 * §5.1.2), and what reads a password up to its first NUL would see none.
 */
function checkTyped({ account, password }: Typed): Typed {
  const name = account.trim()
  if (!password || password.length > 1024 || password.includes('\0')) throw refused()
  if (!name || name.length > 254 || /\p{Cc}/u.test(name)) throw refused()
  return { account: name, password }
}

function filterFor(template: string, account: string): Filter {
  try {
    return FilterParser.parseString(template.replaceAll('{account}', () => Filter.escape(account)))
  } catch {
    // Without the cause: its message quotes the filter with the account in it.
    throw new Fault('nonsense', 'settings.filter cannot be read')
  }
}

function unexpected(what: string, code: number): Fault {
  const failure = busy.has(code) ? 'unreachable' : code === timeLimitExceeded ? 'slow' : 'nonsense'
  return new Fault(failure, `${what} was answered with result code ${code}`)
}
