/** School codes as upstreams write them. */

/** 014569 · 011K02 kindergarten · A00015 unit · 084719a1 one of two schools in Nantou · 1044 university. */
const shape = /^(?:[0-9]{4}|[0-9A-Z][0-9]{2}[0-9A-Z]{3}(?:[a-z][0-9]{1,2})?)$/

/** The code, or undefined where something else stands in its place: Tainan sends a pupil's account there. */
export function schoolCode(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const code = String(value).trim()
  // No code has five digits: JSON as a number lost the zero of 014569. Shorter ones could be anything.
  const whole = /^[0-9]{5}$/.test(code) ? `0${code}` : code
  return shape.test(whole) ? whole : undefined
}
