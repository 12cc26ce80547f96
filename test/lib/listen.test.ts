/** A port that is given back: who was let in is answered. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { listenOn } from '#lib/listen.ts'
import { freePort } from '../helpers/free-port.ts'

/** Connects so many times and sends a form on each; says when all of it has left, and what came back. */
const guests = `
  const { parentPort, workerData: { port, count, here } } = require('node:worker_threads')
  const { connect } = require('node:net')
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    socket.on('data', (data) => { heard += data })
    const over = new Promise((resolve) => {
      socket.once('close', () => resolve(heard.split('\\r\\n')[0] || 'nothing'))
      socket.once('error', () => resolve('cut off'))
    })
    const sent = new Promise((resolve) => socket.once('connect', () => socket.write(
      'POST / HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 2\\r\\n\\r\\nab', resolve)))
    return { over, sent }
  })
  Promise.all(sockets.map(({ sent }) => sent)).then(() => { Atomics.store(here, 0, 1); Atomics.notify(here, 0) })
  Promise.all(sockets.map(({ over }) => over)).then((answers) => parentPort.postMessage(answers))
`

test('whoever stands in the queue when it closes is let in and answered', async (t) => {
  const port = await freePort()
  const where = { port, hosts: ['127.0.0.1'], variable: 'PORT' }
  const listening = await listenOn(where, (request, response) => {
    request.resume().once('end', () => response.end('done'))
  })
  const here = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(guests, { eval: true, workerData: { port, count: 40, here } })
  await once(worker, 'online')
  // This thread is busy for as long as they need to come: the system lets them wait at the door.
  Atomics.wait(here, 0, 0, 20_000)
  const closed = listening.close()
  const [answers] = await once(worker, 'message')
  await closed
  t.deepEqual(answers, Array(40).fill('HTTP/1.1 200 OK'))
})
