/** Finds the message an English sentence was made of: what was kept as a sentence is shown in every language by that. */
import type { MessageParams, Messages } from './messages.ts'

/** Undefined where it is none of these keys' words. */
export function readBack(
  messages: Messages,
  keys: readonly string[],
  sentence: string,
): { key: string; params: MessageParams } | undefined {
  for (const key of keys) {
    const match = patternOf(messages.template('en', key)).exec(sentence)
    if (match) return { key, params: { ...match.groups } }
  }
  return undefined
}

/** `it answered {status}` is found in `it answered 503`: what was put in is one word. */
function patternOf(template: string): RegExp {
  const literal = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>\\S+)')}$`)
}
