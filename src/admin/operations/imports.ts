/** To be written: what staff can do about imports. */
import type { Operation } from '../operation.ts'

export const importsOperations: Operation[] = []
