/** How long we wait for what somebody sends. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Context } from '#http/context.ts'
import { patience } from '#http/middleware/patience.ts'

/** Sends a letter every 20 ms, for ever; what it was answered, and after how long. */
async function trickle(t: ExecutionContext, isFile: boolean) {
  const wait = patience({ usual: 150, file: 600 })
  const server = createServer((req, res) => {
    const ctx = { req, res, state: {} } as Context
    void wait(ctx, async () => {
      if (isFile) ctx.state.waitForFile?.()
      req.on('error', () => {})
      req.resume()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const started = performance.now()
  const sending = request({ host: '127.0.0.1', port, method: 'POST' })
  const drip = setInterval(() => sending.write('a'), 20)
  t.teardown(() => clearInterval(drip))
  const status = await new Promise<number | undefined>((resolve) => {
    sending.on('response', (answer) => resolve(answer.resume().statusCode))
    sending.on('error', () => resolve(undefined))
  })
  return { status, took: performance.now() - started }
}

test('who sends a letter now and then is cut off, and later where a large file is awaited', async (t) => {
  const usual = await trickle(t, false)
  t.is(usual.status, 408)
  t.true(usual.took >= 140)
  const file = await trickle(t, true)
  t.is(file.status, 408)
  t.true(file.took >= 590)
})
