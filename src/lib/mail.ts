/** A mail to one person, as rooms hand it on. */
export type Mail = {
  /** One bare address. */
  to: string
  subject: string
  text: string
  html?: string
}

export type Sender = { address: string; name?: string }

// Narrower than RFC 5321 allows: no quotes, no lists, no comments, nothing that could begin another header line.
const address = /^[^\s"(),:;<>@[\\\]\p{Cc}]{1,64}@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)*$/u

export const isMailAddress = (text: string): boolean => text.length <= 254 && address.test(text)

/** `id@example.gov.tw` or `教育雲 <id@example.gov.tw>`. Undefined for anything else. */
export function readSender(text: string): Sender | undefined {
  const [, name, inner] = /^([^<>"\p{Cc}]*)<([^<>]*)>$/u.exec(text.trim()) ?? []
  const address = inner ?? text.trim()
  if (!isMailAddress(address)) return undefined
  return name?.trim() ? { address, name: name.trim() } : { address }
}

/** Whose server takes the mail: what is after the `@`, in lower case. */
export const mailDomain = (to: string): string => to.slice(to.lastIndexOf('@') + 1).toLowerCase()
