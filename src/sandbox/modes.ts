/** Every way a pretend county can fail, as a table: tests and newcomers flip a switch and watch what the core does. */
import type { JWTPayload } from 'jose'
import type { Words } from '#config/words.ts'
import type { Upstream } from './counties.ts'

/** How one mode behaves; whatever is left out is healthy. */
export type ModeRule = {
  label: Words
  /** Whose providers know it; left out, it strikes before any of them is asked. */
  of?: Upstream['protocol'][]
  /** What happens to a connection: answered late, cut, or answered with a web page. */
  network?: 'slow' | 'down' | 'garbage'
  /** Where the network fault strikes. */
  at?: 'everywhere' | 'token'
  /** Whoever comes to sign in is sent back at once. */
  refuses?: true
  /** Claims to put into the ID token before it is signed. */
  lies?: JWTPayload
  /** The signature no longer fits the ID token. */
  breaksSignature?: true
}

export const modes = {
  ok: { label: { 'zh-TW': '正常', en: 'Healthy' } },
  slow: { label: { 'zh-TW': '很慢', en: 'Slow everywhere' }, network: 'slow', at: 'everywhere' },
  down: {
    label: { 'zh-TW': '完全斷線', en: 'Down: connections are cut' },
    network: 'down',
    at: 'everywhere',
  },
  garbage: {
    label: { 'zh-TW': '到處都回應網頁', en: 'Answers HTML everywhere' },
    network: 'garbage',
    at: 'everywhere',
  },
  refuses: {
    label: { 'zh-TW': '拒絕登入', en: 'Refuses everybody' },
    of: ['oidc', 'openid2', 'saml', 'oauth2'],
    refuses: true,
  },
  'slow-token': {
    label: { 'zh-TW': '只有權杖端點很慢', en: 'Only the token endpoint is slow' },
    of: ['oidc', 'oauth2'],
    network: 'slow',
    at: 'token',
  },
  'down-token': {
    label: { 'zh-TW': '只有權杖端點斷線', en: 'Only the token endpoint is down' },
    of: ['oidc', 'oauth2'],
    network: 'down',
    at: 'token',
  },
  'wrong-nonce': {
    label: { 'zh-TW': 'nonce 不符', en: 'Wrong nonce in the ID token' },
    of: ['oidc'],
    lies: { nonce: 'sandbox-wrong-nonce' },
  },
  'wrong-issuer': {
    label: { 'zh-TW': '簽發者不符', en: 'Wrong issuer' },
    of: ['oidc', 'saml'],
    lies: { iss: 'https://someone-else.example' },
  },
  'wrong-signature': {
    label: { 'zh-TW': '簽章不符', en: 'Broken signature' },
    of: ['oidc', 'openid2', 'saml'],
    breaksSignature: true,
  },
  'unsigned-attribute': {
    label: { 'zh-TW': '屬性沒有簽章', en: 'Attributes beside what is signed' },
    of: ['openid2'],
  },
  'foreign-claimed-id': {
    label: { 'zh-TW': '別人家的識別碼', en: 'An identifier of another host' },
    of: ['openid2'],
  },
  'replayed-nonce': {
    label: { 'zh-TW': '重複使用的 nonce', en: 'The same response nonce each time' },
    of: ['openid2'],
  },
  unsigned: { label: { 'zh-TW': '沒有簽章', en: 'Signs nothing' }, of: ['saml'] },
  'wrong-audience': {
    label: { 'zh-TW': '給別人的回應', en: 'Wrong audience' },
    of: ['saml'],
  },
  'wrong-recipient': {
    label: { 'zh-TW': '收件位址不符', en: 'Wrong recipient' },
    of: ['saml'],
  },
  'no-subject': {
    label: { 'zh-TW': '不說是誰', en: 'Does not say who it is' },
    of: ['oauth2', 'ldap'],
  },
} satisfies Record<string, ModeRule>

export type Mode = keyof typeof modes

/** The mode of that name. A name alone says it where a provider's lie needs no more. */
export function isMode(word: string | undefined | null): word is Mode {
  return typeof word === 'string' && Object.hasOwn(modes, word)
}

/** How one mode behaves, with every possible field. */
export function ruleOf(mode: Mode): ModeRule {
  return modes[mode]
}

/** Whether an upstream of that protocol can be in that mode. */
export function fits(mode: Mode, { protocol }: Pick<Upstream, 'protocol'>): boolean {
  return ruleOf(mode).of?.includes(protocol) ?? true
}
