/** One of a few, all of them in sight. */
import { option } from './option.ts'

export const radio = option('radio')
