/** To be written: what staff can do about clients. */
import type { Operation } from '../operation.ts'

export const clientsOperations: Operation[] = []
