/** What people type, made fit to keep: one form for what looks the same, and nothing that cannot be seen. */

// Control, direction and zero-width characters. Variation selectors stay: names are told apart by them.
const unseen =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\p{Variation_Selector}\t\n\v\f\r]]/gv
/** Blanks, and variation selectors with nothing before them to vary. */
const around = /^[\s\p{Variation_Selector}]+|\s+$/gv

/** One line. `NFKC` where full-width and other forms of a letter mean the letter: names, accounts, numbers. */
export const tidy = (typed: string, form: 'NFC' | 'NFKC' = 'NFC'): string =>
  typed.normalize(form).replace(unseen, '').replace(/\s+/g, ' ').replace(around, '')
