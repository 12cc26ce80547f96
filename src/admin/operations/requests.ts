/** To be written: what staff can do about requests. */
import type { Operation } from '../operation.ts'

export const requestsOperations: Operation[] = []
