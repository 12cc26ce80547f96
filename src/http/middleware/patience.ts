/** What is sent has to have arrived in time: a connection that trickles is cut off, unless a route waits for a large file. */
import type { Context, Next } from '../context.ts'

/** Milliseconds for the whole of a request; for a file of which a route knows that it is large. */
export const patienceMs = { usual: 30_000, file: 15 * 60_000 }

export function patience({ usual, file } = patienceMs) {
  return (ctx: Context, next: Next) => {
    const { req, res } = ctx
    const { 'content-length': length = '0', 'transfer-encoding': coding } = req.headers
    if (length === '0' && coding === undefined) return next()
    const cut = () => {
      if (req.complete) return
      // As Node itself answers a request that is late.
      if (!res.headersSent)
        req.socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
      req.socket.destroySoon()
    }
    let timer = setTimeout(cut, usual).unref()
    req.once('close', () => clearTimeout(timer))
    ctx.state.waitForFile = () => {
      clearTimeout(timer)
      timer = setTimeout(cut, file).unref()
    }
    return next()
  }
}
