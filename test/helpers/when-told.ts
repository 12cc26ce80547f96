/** Deliveries that never look by themselves: what leaves leaves because somebody said so, or not at all. */
import { mock } from 'node:test'
import type { Delivery } from '#jobs/deliver.ts'

/** Begins with a clock that stands still: the look of every few seconds would find what nobody was told of. */
export function beginWhenTold(delivery: Pick<Delivery, 'begin'>): void {
  mock.timers.enable({ apis: ['setInterval'] })
  try {
    delivery.begin()
  } finally {
    mock.timers.reset()
  }
}
