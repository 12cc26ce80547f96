/** Finds the message an English sentence was made of: what was kept as a sentence is shown in every language by that. */
import type { MessageParams, Messages } from './messages.ts'

/** Undefined where it is none of these keys' words. */
export type ReadBack = (sentence: string) => { key: string; params: MessageParams } | undefined

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
