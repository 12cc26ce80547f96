/**
 * Makes every picture people send one of ours: decoded in a process of its own, cropped to a square, encoded anew. What
 * a file holds beside its pixels (place, camera, another format) does not come through.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import limit from 'p-limit'
import { BusyError } from '#errors.ts'
import { exits, maxPictureBytes, size } from './picture-rules.ts'

export type Encoded =
  | { kind: 'picture'; type: 'image/webp'; bytes: Buffer }
  | { kind: 'refused'; why: 'not-a-picture' | 'too-large' | 'broken' }

export type Pictures = {
  /** Throws BusyError when too many wait. */
  encode(bytes: Buffer): Promise<Encoded>
  /** Ends the one under way. */
  close(): void
}

/** How many may wait; each holds its file in memory. */
const depth = 8
const milliseconds = 10_000

/** What the file says it is. Anything that begins otherwise is not even given to the decoder. */
const isPicture = (bytes: Buffer) => {
  const beginning = bytes.toString('latin1', 0, 12)
  const riff = beginning.startsWith('RIFF') && beginning.endsWith('WEBP')
  return riff || beginning.startsWith('\xff\xd8\xff') || beginning.startsWith('\x89PNG\r\n\x1a\n')
}

const refused = (why: (Encoded & { kind: 'refused' })['why']): Encoded => ({ kind: 'refused', why })

export function openPictures(): Pictures {
  const one = limit(1)
  const running = new AbortController()

  return {
    async encode(bytes) {
      if (bytes.length > maxPictureBytes) return refused('too-large')
      if (!isPicture(bytes)) return refused('not-a-picture')
      if (one.pendingCount >= depth) throw new BusyError('too many pictures wait')
      return one(() => run(bytes, running.signal))
    },
    close: () => running.abort(),
  }
}

const worker = join(import.meta.dirname, 'picture-worker.ts')
const node = ['--max-old-space-size=64', '--max-semi-space-size=1', worker]

// A decoder that is led astray gets 300 MB and ten seconds of one core: V8 sets aside the other 600 and leaves most of
// them alone. The shell that sets these bounds becomes the process; where it may not, there are none.
const bounded = 'ulimit -d 900000; ulimit -t 10; exec "$0" "$@"'
const [command, args]: [string, string[]] =
  process.platform === 'win32'
    ? [process.execPath, node]
    : ['/bin/sh', ['-c', bounded, process.execPath, ...node]]

/** Throws when the worker cannot do its work: that is no fault of the picture's. */
function run(bytes: Buffer, signal: AbortSignal): Promise<Encoded> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: 'buffer',
      // Nothing of ours: whoever takes the decoder over finds no key in its environment.
      env: { MALLOC_ARENA_MAX: '1' },
      maxBuffer: 4 * size.bytes,
      timeout: milliseconds,
      killSignal: 'SIGKILL',
      signal,
    } as const
    const child = execFile(command, args, options, (error, picture, complaint) => {
      if (!error) return resolve({ kind: 'picture', type: 'image/webp', bytes: picture })
      if (error.code === exits.tooLarge) return resolve(refused('too-large'))
      // Ended by a bound of ours, or by a fault it ran into.
      if (error.code === exits.broken || error.killed || error.signal) {
        return resolve(refused('broken'))
      }
      const said = complaint.toString('utf8').trim().slice(0, 2000)
      reject(new Error(`pictures cannot be encoded: ${said || error.message}`, { cause: error }))
    })
    // It may end before it has read everything.
    child.stdin?.on('error', () => {}).end(bytes)
  })
}
