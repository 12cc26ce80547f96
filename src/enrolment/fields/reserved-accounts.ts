/** Accounts nobody may choose: who has one speaks for the house (RFC 2142, and what mail programs look for). */
const roles = [
  ...[
    'abuse',
    'admin',
    'administrator',
    'admins',
    'anonymous',
    'api',
    'autoconfig',
    'autodiscover',
  ],
  ...['billing', 'bounce', 'bounces', 'citygate', 'daemon', 'dns', 'edu', 'ftp', 'guest', 'help'],
  ...['helpdesk', 'hostmaster', 'imap', 'info', 'isatap', 'it', 'list', 'localhost', 'mail'],
  ...['mailbox', 'mailerdaemon', 'marketing', 'moe', 'moderator', 'mx', 'news', 'nobody', 'noc'],
  ...['noreply', 'donotreply', 'null', 'office', 'official', 'openid', 'operator', 'owner', 'pop'],
  ...['pop3', 'postmaster', 'president', 'privacy', 'root', 'sales', 'security', 'server'],
  ...['service', 'services', 'smtp', 'soc', 'sso', 'ssladmin', 'ssladministrator', 'sslwebmaster'],
  ...['staff', 'support', 'sysadmin', 'sysop', 'system', 'test', 'undefined', 'usenet', 'user'],
  ...['users', 'uucp', 'webmail', 'webmaster', 'wpad', 'www'],
]

/** `post.master` and `no-reply` are read as what they mean. */
const spelt = (name: string) => name.toLowerCase().replace(/[._-]/g, '')

const ours = new Set(roles)

export const isReserved = (name: string, more: string[]): boolean =>
  ours.has(spelt(name)) || more.some((one) => spelt(one) === spelt(name))
