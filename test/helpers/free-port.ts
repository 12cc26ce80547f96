/** Ports nobody listens on. */
import { createServer } from 'node:net'

// Below the range that outgoing connections take theirs from, in a block of this process's own.
let nextPort = 10_240 + (process.pid % 107) * 200

/** A port nobody listens on just now, and no other world of this process was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}
