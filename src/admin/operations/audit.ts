/** To be written: what staff can do about audit. */
import type { Operation } from '../operation.ts'

export const auditOperations: Operation[] = []
