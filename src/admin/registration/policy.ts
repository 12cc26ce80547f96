/** What may be registered with an initial access token: staff say it when they make one. */
import { z } from 'zod'
import { clientKinds } from '#store/clients.ts'

const name = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

/** `app.example.gov.tw`, or with a dot before it whatever lies below. */
const host = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .refine((text) => name.test(text.replace(/^\./, '')), {
    message: 'must be a host name, or .example.gov.tw for everything below it',
    params: { code: 'registration-host' },
  })
  // `.tw` is everybody's.
  .refine((text) => !text.startsWith('.') || text.slice(1).includes('.'), {
    message: 'must have two parts after the first dot',
    params: { code: 'registration-host' },
  })

export const registrationPolicy = z.strictObject({
  kinds: z.array(z.enum(clientKinds)).min(1).max(clientKinds.length),
  /** Scopes it may ask for: what it does not name it never gets. */
  scopes: z.array(z.string().min(1).max(100)).max(100),
  /** Where its addresses may lie. */
  hosts: z.array(host).max(50),
})
export type RegistrationPolicy = z.output<typeof registrationPolicy>

const addresses = z.array(z.string()).optional()

/** What an app is held to: its token's policy, and what staff made of it since. */
export const heldPolicy = registrationPolicy.extend({
  /** Once staff took one away: these, and no others. */
  redirectUris: addresses,
  postLogoutRedirectUris: addresses,
})
export type HeldPolicy = z.output<typeof heldPolicy>

export const fitsHosts = ({ hosts }: Pick<RegistrationPolicy, 'hosts'>, hostname: string) =>
  hosts.some((one) =>
    one.startsWith('.') ? hostname.endsWith(one) && hostname !== one : hostname === one,
  )
