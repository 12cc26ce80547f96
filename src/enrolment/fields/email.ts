/** An address mails are sent to, typed twice where a slip would be found out too late. */
import { isMailAddress, mailDomain } from '#lib/mail.ts'
import type { FieldKind } from './field.ts'
import { againName, line, own, slip, words } from './field.ts'
import { tidy } from './typed.ts'

const base = line<'email'>({
  control: 'line',
  attributes: () => ({ type: 'email', maxlength: 254, autocomplete: 'email' }),
  normal({ not_at: refused }, said) {
    const typed = tidy(said, 'NFKC')
    const domain = mailDomain(typed)
    // A mail server without a dot in its name is nobody's but this machine's.
    if (!isMailAddress(typed) || !domain.includes('.')) return { problem: words('email.bad') }
    const at = refused.find((one) => isWithin(domain, one.toLowerCase()))
    if (at) return { problem: words('email.not-at', { domain: at }) }
    return { value: `${typed.slice(0, typed.lastIndexOf('@'))}@${domain}` }
  },
})

export const email: FieldKind<'email'> = {
  ...base,
  async read(field, posted, reading, ports) {
    const read = await base.read(field, posted, reading, ports)
    if (!field.twice || read.problems) return read
    const again = tidy(own(posted.fields, againName(field)), 'NFKC').toLowerCase()
    const value = String(read.facts?.[field.id] ?? '').toLowerCase()
    if (again === value) return read
    return slip(againName(field), words(again === '' ? 'again' : 'email.differs'))
  },
}

const isWithin = (domain: string, other: string) => domain === other || domain.endsWith(`.${other}`)
