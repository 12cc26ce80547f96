/** To be written: what staff can do about statistics. */
import type { Operation } from '../operation.ts'

export const statisticsOperations: Operation[] = []
