/** Whole messages out of the bytes of a connection, one after the other. */
import type { Duplex } from 'node:stream'
import { Fault } from '../../calls/fault.ts'
import { messageLength } from './elements.ts'

/** Of all a connection brings: one person's entry, not a whole school. */
const mostBytes = 256 * 1024

export type Messages = {
  /** The next one. Throws when the connection breaks or brings too much. */
  next(): Promise<Buffer>
  /** Lets go of the connection. Throws if it brought more than was asked for. */
  stop(): void
}

export function readMessages(socket: Duplex): Messages {
  let held = Buffer.alloc(0)
  let received = 0
  let broken: Error | undefined
  let wake = () => {}

  const onData = (chunk: Buffer) => {
    received += chunk.length
    if (received > mostBytes) onBroken(new Fault('nonsense', 'answered more than we read'))
    else held = Buffer.concat([held, chunk])
    wake()
  }
  const onBroken = (error: Error) => {
    broken ??= error
    wake()
  }
  const onClose = () => onBroken(new Fault('unreachable', 'closed the connection'))
  socket.on('data', onData).on('error', onBroken).on('close', onClose).on('end', onClose)

  return {
    async next() {
      for (;;) {
        const length = messageLength(held)
        if (length !== undefined && held.length >= length) {
          const message = held.subarray(0, length)
          held = held.subarray(length)
          return message
        }
        if (broken) throw broken
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    stop() {
      socket.off('data', onData).off('error', onBroken).off('close', onClose).off('end', onClose)
      // What was slipped in before TLS would be read as if it had come over it (CVE-2011-0411 and its kin).
      if (held.length > 0) throw new Fault('forged', 'it sent more before TLS than we asked for')
    },
  }
}
