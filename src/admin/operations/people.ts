/** To be written: what staff can do about people. */
import type { Operation } from '../operation.ts'

export const peopleOperations: Operation[] = []
