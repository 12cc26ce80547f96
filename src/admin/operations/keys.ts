/** To be written: what staff can do about keys. */
import type { Operation } from '../operation.ts'

export const keysOperations: Operation[] = []
