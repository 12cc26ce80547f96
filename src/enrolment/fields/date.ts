/** A day of somebody's life: not in the future, and how many whole years ago where that matters. */
import { line, words } from './field.ts'
import { tidy } from './typed.ts'

export const date = line<'date'>({
  control: 'line',
  attributes: ({ years }, at) => ({
    type: 'date',
    min: first,
    max: today(at),
    // Whose years are counted is a person.
    autocomplete: years ? 'bday' : 'off',
  }),
  normal(_, said, at) {
    const value = readDay(tidy(said, 'NFKC'))
    if (!value) return { problem: words('date.bad') }
    if (value > today(at)) return { problem: words('date.future') }
    if (value < first) return { problem: words('date.early') }
    return { value }
  },
  facts: ({ years }, day, at) => (years ? { [years]: yearsSince(day, at) } : {}),
})

const first = '1900-01-01'

/** Taiwan has kept no summer time since 1979. */
const ahead = 8 * 60 * 60

const today = (at: number) => new Date((at + ahead) * 1000).toISOString().slice(0, 10)

/** Who was born on 29 February is a year older on 1 March. */
function yearsSince(day: string, at: number): number {
  const now = today(at)
  const full = Number(now.slice(0, 4)) - Number(day.slice(0, 4))
  return now.slice(5) < day.slice(5) ? full - 1 : full
}

/** Years before the Republic's first. */
const republic = 1911

const written = [
  // 2010-01-05, 2010/1/5, 2010年1月5日, 99/1/5: a year of two or three digits is one of the Republic.
  /^(?<era>民國)? ?(?<year>\d{1,4}) ?[-/.年] ?(?<month>\d{1,2}) ?[-/.月] ?(?<day>\d{1,2}) ?日?$/,
  // 20100105, 0990105
  /^(?<era>民國)? ?(?<year>\d{3,4})(?<month>\d{2})(?<day>\d{2})$/,
]

function readDay(text: string): string | undefined {
  const found = written.map((one) => one.exec(text)?.groups).find((groups) => groups !== undefined)
  if (!found) return undefined
  const { era, year = '', month = '', day = '' } = found
  if (era && year.length > 3) return undefined
  const y = Number(year) + (year.length > 3 ? 0 : republic)
  const iso = `${String(y).padStart(4, '0')}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const read = new Date(`${iso}T00:00:00Z`)
  // 30 February would roll over into March.
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(iso) ? iso : undefined
}
