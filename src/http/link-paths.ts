/** Where links in mails lead: the token stands at the end. */
import type { LinkPurpose } from '#store/store.ts'

export const linkPaths: Record<LinkPurpose, string> = {
  activate: '/joining/activate',
  guardian: '/joining/guardian',
  resume: '/joining/resume',
  reset: '/reset',
  'confirm-address': '/account/email/confirm',
}
