/** The end: whatever hangs on it, it comes. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { closeInTime } from '#lib/close-in-time.ts'
import { openLog } from '#lib/log.ts'
import { isOverBefore } from '../helpers/overtaking.ts'
import { openStaff } from '../helpers/staff.ts'
import { buildWorld } from '../helpers/world.ts'

test('a half-read export, a half-sent form and a kept connection hold it up for the grace and no longer', async (t) => {
  const world = await buildWorld(t, { graceMs: 500 })
  const { issuer, house } = world
  const owner = await openStaff(world)
  // More than the connection's buffers hold.
  const row = { kind: 'person', status: 'active', createdAt: 1, updatedAt: 1 } as const
  const profile = { name: { value: 'x'.repeat(100_000), by: 'self', at: 1 } }
  await Promise.all(
    Array.from({ length: 120 }, (_, i) =>
      house.store.accounts.create({ ...row, id: `many-${i}`, profile }),
    ),
  )
  const form = await owner.open('/admin/imports/export')
  const fields = form.document.querySelectorAll('#export input[type="hidden"]')
  const body = new URLSearchParams(
    fields.map((one) => [one.getAttribute('name') ?? '', one.getAttribute('value') ?? '']),
  )
  const post = request(`${issuer}/admin/imports/export`, {
    method: 'POST',
    headers: {
      cookie: await owner.browser.jar.getCookieString(issuer),
      'content-type': 'application/x-www-form-urlencoded',
    },
  })
  post.on('error', () => {})
  post.end(body.toString())
  const [answer] = await once(post, 'response')
  answer.on('error', () => {})
  t.is(answer.statusCode, 200)
  await once(answer, 'readable')

  const speak = async (text: string) => {
    const socket = connect(Number(new URL(issuer).port), '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }
  const kept = await speak('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(kept, 'data')
  await speak('POST /reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nhalf')

  const began = performance.now()
  const closed = world.close()
  t.true(await isOverBefore(closed, sleep(3_500)))
  await closed
  const took = performance.now() - began
  t.true(took > 450, `the export had its grace: ${took}`)
  t.false(world.log.some((line) => line.includes('did not end in time')))
})

test('what never ends is named and left, what fails too, and the rest is closed', async (t) => {
  const lines: string[] = []
  const log = openLog('info', { write: (line: string) => lines.push(line) })
  let closed = false
  const failing = () => {
    throw new Error('broken')
  }
  const closings = [
    ['stuck', () => new Promise(() => {})],
    ['broken', failing],
    ['last', () => (closed = true)],
  ] as const
  await closeInTime(closings, log, 20)
  t.true(closed)
  t.regex(lines.join(''), /"what":"stuck".*did not end in time/)
  t.regex(lines.join(''), /"what":"broken"/)
})
