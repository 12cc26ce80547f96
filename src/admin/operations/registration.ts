/** To be written: what staff can do about registration. */
import type { Operation } from '../operation.ts'

export const registrationOperations: Operation[] = []
