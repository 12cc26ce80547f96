/** Finds the message key an English sentence was made from, so that a sentence we kept can be shown in any language. */
import type { MessageParams, Messages } from './messages.ts'

/** Undefined where it is none of these keys' words. */
export type ReadBack = (sentence: string) => { key: string; params: MessageParams } | undefined

/** Makes the patterns once. `keys`: the messages whose sentences may come. */
export function openReadBack(messages: Messages, keys: readonly string[]): ReadBack {
  const patterns = keys.map((key) => [key, patternOf(messages.template('en', key))] as const)
  return (sentence) => {
    for (const [key, pattern] of patterns) {
      const match = pattern.exec(sentence)
      if (match) return { key, params: { ...match.groups } }
    }
    return undefined
  }
}

/** `it answered {status}` is found in `it answered 503`: what was put in is one word. */
function patternOf(template: string): RegExp {
  const literal = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>\\S+)')}$`)
}
