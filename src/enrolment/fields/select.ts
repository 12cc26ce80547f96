/** One of many, from a list that opens. */
import { option } from './option.ts'

export const select = option('select')
