/** The provider of the moment: node-oidc-provider takes its signing keys once, so other keys are another provider. */
import type { Provider } from 'oidc-provider'

export type LiveProvider = {
  readonly current: Provider
  /** Builds it anew. Requests under way end on the one they began with; listeners move over. */
  renew(): void
}

export function openLiveProvider(build: () => Provider): LiveProvider {
  let current = build()
  return {
    get current() {
      return current
    },
    renew() {
      const next = build()
      moveListeners(current, next)
      current = next
    },
  }
}

function moveListeners(from: NodeJS.EventEmitter, to: NodeJS.EventEmitter): void {
  for (const event of from.eventNames()) {
    for (const listener of from.listeners(event)) to.on(event, listener as () => void)
  }
}
