/** To be written: what staff can do about staff. */
import type { Operation } from '../operation.ts'

export const staffOperations: Operation[] = []
