/** To be written: what staff can do about outbox. */
import type { Operation } from '../operation.ts'

export const outboxOperations: Operation[] = []
