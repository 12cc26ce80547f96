/** The names the specifications gave themselves: what a message's version and extensions are known by. */
export const openid2 = 'http://specs.openid.net/auth/2.0'

/** Whoever it may be: the provider asks her (OpenID Authentication 2.0 §9.1). */
export const identifierSelect = 'http://specs.openid.net/auth/2.0/identifier_select'

/** What a provider, an identifier and a relying party say of themselves in XRDS (§7.3.2.1, §13). */
export const serviceTypes = {
  server: 'http://specs.openid.net/auth/2.0/server',
  signon: 'http://specs.openid.net/auth/2.0/signon',
  returnTo: 'http://specs.openid.net/auth/2.0/return_to',
} as const

export const ax = 'http://openid.net/srv/ax/1.0'
/** The newest first: of two answers it is the one that counts. */
export const sreg = ['http://openid.net/extensions/sreg/1.1', 'http://openid.net/sreg/1.0'] as const
export const pape = 'http://specs.openid.net/extensions/pape/1.0'
