/** A look at a server's certificate: whose addresses may be called, for how long, and that nothing is said there. */
import { once } from 'node:events'
import { createServer as createPlain, type Server } from 'node:net'
import { createServer } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { openCertificates } from '#outside/certificates.ts'
import { makeCertificate } from '#sandbox/certificates.ts'

/** It expired long ago: that is what somebody wants to know. */
const { key, certificate: cert } = await makeCertificate({
  commonName: 'localhost',
  hosts: ['localhost'],
  keyType: 'ec',
  from: new Date('2020-01-01T00:00:00Z'),
  until: new Date('2021-01-01T00:00:00Z'),
})

async function listen(t: ExecutionContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

test('the day it expires is read, by the server’s own name, and nothing is sent', async (t) => {
  const names: string[] = []
  let heard = 0
  const server = createServer({
    cert,
    key,
    SNICallback(name, give) {
      names.push(name)
      give(null)
    },
  })
  server.on('secureConnection', (socket) =>
    socket.on('data', (bytes) => {
      heard += bytes.length
    }),
  )
  const port = await listen(t, server)
  const look = openCertificates({ allow: [`https://localhost:${port}`] })
  t.is(await look(`localhost:${port}`), Date.UTC(2021, 0, 1) / 1000)
  t.deepEqual(names, ['localhost'])
  t.is(heard, 0)
})

test('only public addresses are called, whatever the name says, but for those the operator allowed', async (t) => {
  let calls = 0
  const server = createServer({ cert, key }).on('connection', () => calls++)
  const port = await listen(t, server)
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
  const look = openCertificates({ lookup })
  for (const name of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'county.example', '2130706433']) {
    await t.throwsAsync(look(`${name}:${port}`), { name: 'OutboundError' }, name)
  }
  await t.throwsAsync(look('county.example'), { name: 'OutboundError' }, 'no port')
  t.is(calls, 0)
})

test('a server that says nothing, hangs up or speaks no TLS is given up', async (t) => {
  const silent = await listen(
    t,
    createPlain(() => {}),
  )
  const rude = await listen(
    t,
    createPlain((socket) => socket.destroy()),
  )
  const plain = await listen(
    t,
    createPlain((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  )
  const allow = [silent, rude, plain].map((port) => `https://localhost:${port}`)
  const look = openCertificates({ allow, totalMs: 200 })
  for (const [port, code] of [
    [silent, 'timeout'],
    [rude, 'unreachable'],
    [plain, 'unreachable'],
  ] as const) {
    await t.throwsAsync(look(`localhost:${port}`), { code })
  }
})
