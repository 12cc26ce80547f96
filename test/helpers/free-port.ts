/** Ports nobody listens on. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Below the range that outgoing connections take theirs from, so many blocks of so many ports. */
const [lowest, blocks, ports] = [10_240, 107, 200]
const taken = join(tmpdir(), 'citygate-ports')

/** Whether the process that says so in the file is still there. */
function isHeld(file: string): boolean {
  try {
    return process.kill(Number(readFileSync(file, 'utf8')), 0)
  } catch {
    return false
  }
}

/** True for one process: it says so in a file that goes with it. What a killed one left behind is nobody's. */
function take(block: number): boolean {
  const file = join(taken, String(block))
  try {
    if (existsSync(file) && !isHeld(file)) rmSync(file)
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch {
    return false
  }
  process.once('exit', () => rmSync(file, { force: true }))
  return true
}

/** The first of a block that is this process's own: files that run at once look for ports at once. */
function firstPort(): number {
  mkdirSync(taken, { recursive: true })
  const wanted = Array.from({ length: blocks }, (_, i) => (process.pid + i) % blocks)
  return lowest + (wanted.find(take) ?? process.pid % blocks) * ports
}

let nextPort: number | undefined

/** A port nobody listens on just now, and no other world of this process was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    nextPort ??= firstPort()
    const port = nextPort++
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}
