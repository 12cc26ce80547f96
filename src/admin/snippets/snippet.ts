/** What stands in an app's own code so that people sign in to it here: one file per library, filled with one app. */
import type { ClientKind } from '#store/store.ts'

export type SnippetApp = {
  issuer: string
  clientId: string
  kind: ClientKind
  /** The first one registered; absent for a machine. */
  redirectUri?: string | undefined
  postLogoutRedirectUri?: string | undefined
  scopes: readonly string[]
  authMethod: string
  idTokenAlg: string
  /** An API it may ask for, and one of its scopes: for machines. */
  resource?: { id: string; scope: string } | undefined
}

export type Block = { file: string; text: string }

export type Snippet = {
  id: string
  /** Library, and what it runs in. */
  title: string
  kinds: readonly ClientKind[]
  blocks(app: SnippetApp): Block[]
  /** What has to be known beside it: `admin.snippets.note.<…>`. */
  notes?(app: SnippetApp): string[]
}

/** Whoever copies it puts the real one there, not into a file that is shared. */
export const secretPlaceholder = '<your secret>'

/** A string of JavaScript, Python, C# and YAML alike. */
export const quoted = (text: string): string => JSON.stringify(text)

/** Only over TLS, save where somebody develops. */
export const isPlain = ({ issuer }: SnippetApp): boolean => issuer.startsWith('http:')

/** An address's path; `usual` where there is no address. */
export const pathOf = (uri: string | undefined, usual: string): string =>
  URL.parse(uri ?? '')?.pathname ?? usual

/** Beside code for an app that proves itself by a key: where that key goes. */
export const keyNote = ({ authMethod }: SnippetApp): string[] =>
  authMethod === 'private_key_jwt' ? ['private-key'] : []

/** Without the indentation it has in our code. */
export function lines(...parts: (string | undefined | false)[]): string {
  return parts.filter((part) => typeof part === 'string').join('\n')
}
