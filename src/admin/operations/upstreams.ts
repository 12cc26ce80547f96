/** To be written: what staff can do about upstreams. */
import type { Operation } from '../operation.ts'

export const upstreamsOperations: Operation[] = []
