/** What `select` and `radio` have in common: one of the values that were offered, to the letter. */
import { type FieldOf, line, words } from './field.ts'

export const option = <Type extends 'select' | 'radio'>(control: Type) =>
  line<Type>({
    control,
    attributes: () => ({}),
    normal({ options }: FieldOf<'select' | 'radio'>, said) {
      const chosen = options.find(({ value }) => value === said)
      return chosen ? { value: chosen.value } : { problem: words('option.unknown') }
    },
    summary({ options }: FieldOf<'select' | 'radio'>, chosen) {
      const label = options.find(({ value }) => value === chosen)?.label
      return label ?? { text: String(chosen) }
    },
  })
