/** To be written: what staff can do about system. */
import type { Operation } from '../operation.ts'

export const systemOperations: Operation[] = []
