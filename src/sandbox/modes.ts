/** Every way a pretend county can fail, as a table: tests and newcomers flip a switch and watch what the core does. */
import type { JWTPayload } from 'jose'
import type { Words } from '#config/words.ts'

/** How one mode behaves; whatever is left out is healthy. */
export type ModeRule = {
  label: Words
  /** What happens to a connection: answered late, cut, or answered with a web page. */
  network?: 'slow' | 'down' | 'garbage'
  /** Where the network fault strikes. */
  at?: 'everywhere' | 'token'
  /** The authorization endpoint says no at once. */
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
  refuses: { label: { 'zh-TW': '拒絕登入', en: 'Refuses: access_denied' }, refuses: true },
  'slow-token': {
    label: { 'zh-TW': '只有權杖端點很慢', en: 'Only the token endpoint is slow' },
    network: 'slow',
    at: 'token',
  },
  'down-token': {
    label: { 'zh-TW': '只有權杖端點斷線', en: 'Only the token endpoint is down' },
    network: 'down',
    at: 'token',
  },
  'wrong-nonce': {
    label: { 'zh-TW': 'nonce 不符', en: 'Wrong nonce in the ID token' },
    lies: { nonce: 'sandbox-wrong-nonce' },
  },
  'wrong-issuer': {
    label: { 'zh-TW': '簽發者不符', en: 'Wrong issuer in the ID token' },
    lies: { iss: 'https://someone-else.example' },
  },
  'wrong-signature': {
    label: { 'zh-TW': '簽章不符', en: 'Broken signature of the ID token' },
    breaksSignature: true,
  },
} satisfies Record<string, ModeRule>

export type Mode = keyof typeof modes

/** Whether a word names a mode. */
export function isMode(word: string | undefined | null): word is Mode {
  return typeof word === 'string' && Object.hasOwn(modes, word)
}

/** How one mode behaves, with every possible field. */
export function ruleOf(mode: Mode): ModeRule {
  return modes[mode]
}
