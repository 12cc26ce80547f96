import { type Challenge, solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import test from 'ava'
import { openProofOfWork } from '#lib/proof-of-work.ts'

let time = Date.UTC(2026, 10, 21)
const now = () => time
const key = Buffer.alloc(32, 7)
const work = openProofOfWork({ key, now })

type Sent = { challenge: Challenge; solution: { counter: number; derivedKey: string } }

const pack = (sent: unknown) => Buffer.from(JSON.stringify(sent)).toString('base64')

async function solve(challenge: Challenge): Promise<Sent> {
  const solution = await solveChallenge({ challenge, deriveKey })
  if (!solution) throw new Error('not solved')
  return { challenge, solution }
}

test('work that was done for this form is right, and has one name however often it is shown', async (t) => {
  const challenge = await work.challenge('application 1')
  const payload = pack(await solve(challenge))
  const verified = await work.verify(payload, 'application 1')
  t.deepEqual(verified, {
    kind: 'right',
    id: challenge.signature,
    expiresAt: Date.UTC(2026, 10, 21, 1) / 1000,
  })
  t.deepEqual(await work.verify(payload, 'application 1'), verified)
  const later = openProofOfWork({ key: Buffer.alloc(32, 7), now })
  t.deepEqual(await later.verify(payload, 'application 1'), verified, 'after a restart')
})

test('it is good neither for another form nor under another key', async (t) => {
  const payload = pack(await solve(await work.challenge('application 1')))
  t.deepEqual(await work.verify(payload, 'application 2'), { kind: 'wrong' })
  t.deepEqual(await work.verify(payload, ''), { kind: 'wrong' })
  const elsewhere = openProofOfWork({ key: Buffer.alloc(32, 8), now })
  t.deepEqual(await elsewhere.verify(payload, 'application 1'), { kind: 'wrong' })
})

test('what the form is named does not reach the browser', async (t) => {
  t.notRegex(JSON.stringify(await work.challenge('wang@mail.edu.tw')), /wang/)
})

test.serial('it expires by our clock, whatever the browser’s says', async (t) => {
  const challenge = await work.challenge('form')
  t.is(challenge.parameters.expiresAt, undefined)
  const payload = pack(await solve(challenge))
  const began = time
  time = began + 3_599_000
  t.like(await work.verify(payload, 'form'), { kind: 'right' })
  time = began + 3_600_000
  t.deepEqual(await work.verify(payload, 'form'), { kind: 'expired' })
  t.deepEqual(await work.verify(payload, 'another'), { kind: 'wrong' })
  time = began
})

test('less work, other work and no work are wrong', async (t) => {
  const { challenge, solution } = await solve(await work.challenge('form'))
  const change = (parameters: object, more: object = {}) =>
    pack({
      challenge: { ...challenge, parameters: { ...challenge.parameters, ...parameters } },
      solution,
      ...more,
    })
  const payloads = {
    cheaper: change({ cost: 1 }),
    'any key': change({ keyPrefix: '00' }),
    'unsigned solution': change({ keySignature: undefined }),
    longer: change({ data: { ...challenge.parameters.data, until: 9_999_999_999 } }),
    'no signature': pack({ challenge: { parameters: challenge.parameters }, solution }),
    'empty signature': pack({ challenge: { ...challenge, signature: '' }, solution }),
    'upper case': pack({
      challenge: { ...challenge, signature: challenge.signature?.toUpperCase() },
      solution,
    }),
    'another solution': pack({ challenge, solution: { ...solution, derivedKey: '00'.repeat(32) } }),
    'the prefix alone': pack({
      challenge,
      solution: { ...solution, derivedKey: challenge.parameters.keyPrefix },
    }),
    'no solution': pack({ challenge }),
    null: pack(null),
    'a test': pack({ challenge: null, solution: null, test: true }),
    'version 1': pack({
      algorithm: 'SHA-256',
      challenge: 'a',
      number: 1,
      salt: 'b',
      signature: 'c',
    }),
    'a list': pack([{ challenge, solution }]),
    empty: '',
    'no base64': '%%%',
    'no json': Buffer.from('{').toString('base64'),
    'much too long': pack({ challenge, solution, more: 'x'.repeat(10_000) }),
  }
  for (const [name, payload] of Object.entries(payloads))
    t.deepEqual(await work.verify(payload, 'form'), { kind: 'wrong' }, name)
  t.like(await work.verify(pack({ challenge, solution }), 'form'), { kind: 'right' })
})
