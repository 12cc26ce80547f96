/** What passkeys need of us: key, issuer, and our title in the language of the page. */
import type { PasskeyPorts } from '#accounts/second-factor/passkeys.ts'
import type { Context } from './context.ts'
import type { House } from './house.ts'

export const passkeyPorts = (
  { config, keys }: Pick<House, 'config' | 'keys'>,
  { state }: Context,
): PasskeyPorts => ({
  dataKey: keys.data,
  issuer: config.issuer,
  title: config.site.title[state.language],
})
