import test from 'ava'
import {
  askAddressChange,
  cancelAddressChange,
  confirmAddress,
  findConfirmation,
  findWaiting,
  resendConfirmation,
} from '#account/email.ts'
import { buildMember, type Her } from './member.ts'

const ask = (her: Her, address: string, again = address) =>
  askAddressChange(her.store, her.acting(), { address, again }, her.ports)
const resend = (her: Her) => resendConfirmation(her.store, her.acting(), her.ports)
const tokenIn = (text = '') => /confirm\/([\w-]{43})/.exec(text)?.[1] ?? ''
const where = { address: '198.51.100.1', ref: 'R2' }
const confirm = (her: Her, token: string) =>
  confirmAddress(her.store, token, { at: her.clock.at, where }, her.ports)
const kept = async (her: Her) => {
  const row = await her.store.recoveryAddresses.find(her.id)
  return row && [row.value, row.confirmedAt !== undefined]
}

test('the new address gets a link, the old one stays until it was used, and is then told', async (t) => {
  const her = await buildMember(t, { recovery: { value: 'old@example.com', confirmed: true } })
  t.deepEqual(await ask(her, ' New@Example.COM '), { kind: 'sent', address: 'new@example.com' })
  const [letter, ...rest] = await her.mails()
  t.is(letter?.to, 'new@example.com')
  t.deepEqual(rest, [])
  t.deepEqual(await kept(her), ['old@example.com', true])
  t.like(await findWaiting(her.store, her.acting(), her.ports), { address: 'new@example.com' })

  const token = tokenIn(letter?.text)
  const looked = await findConfirmation(her.store, token, her.clock.at, her.ports)
  t.deepEqual(looked, { kind: 'open', address: 'new@example.com' })
  t.deepEqual(await kept(her), ['old@example.com', true], 'looking changes nothing')

  const both = await Promise.all([confirm(her, token), confirm(her, token)])
  t.deepEqual(both, [{ kind: 'used' }, { kind: 'used' }])
  t.deepEqual(await kept(her), ['new@example.com', true])
  const told = await her.mails()
  t.deepEqual(
    told.map(({ to }) => to).sort(),
    ['old@example.com', 'wang@mail.edu.tw'],
    'once, though two used the link',
  )
  t.false(told[0]?.text.includes('new@example.com'))
  t.true(told[0]?.text.includes('n…@example.com'))
  t.deepEqual(await her.trail(), ['recovery-address.confirm ok', 'recovery-address.ask ok'])
})

test('of several changes the last one counts; a cancelled one counts no more', async (t) => {
  const her = await buildMember(t)
  await ask(her, 'one@example.com')
  await ask(her, 'two@example.com')
  const [one, two] = (await her.mails()).map(({ text }) => tokenIn(text))
  t.deepEqual(await confirm(her, one ?? ''), { kind: 'unknown' })
  await cancelAddressChange(her.store, her.acting())
  t.deepEqual(await confirm(her, two ?? ''), { kind: 'unknown' })
  t.is(await kept(her), undefined)
  t.deepEqual(await resend(her), { kind: 'nothing-waits' })
})

test('a letter is sent again after two minutes, ten tabs or not, and the link before is good no more', async (t) => {
  const her = await buildMember(t)
  await ask(her, 'one@example.com')
  her.clock.at += 119
  t.deepEqual(await resend(her), { kind: 'wait', seconds: 1 })
  t.deepEqual(await ask(her, 'one@example.com'), { kind: 'wait', seconds: 1 })
  her.clock.at += 1
  const ten = await Promise.all(Array.from({ length: 5 }, () => resend(her)))
  t.is(ten.filter(({ kind }) => kind === 'sent').length, 1)
  const [first, second, ...rest] = await her.mails()
  t.deepEqual(rest, [])
  t.deepEqual(await confirm(her, tokenIn(first?.text)), { kind: 'unknown' })
  t.deepEqual(await confirm(her, tokenIn(second?.text)), { kind: 'used' })
})

test('nobody fills other people’s mailboxes from here', async (t) => {
  const her = await buildMember(t)
  const kinds = []
  for (let i = 0; i < 8; i++) kinds.push((await ask(her, `victim${i}@example.com`)).kind)
  t.deepEqual(kinds, [...Array(6).fill('sent'), 'wait', 'wait'])
})

test('a link is good for a day, and not for an account that was closed meanwhile', async (t) => {
  const her = await buildMember(t)
  await ask(her, 'one@example.com')
  const [letter] = await her.mails()
  const token = tokenIn(letter?.text)
  her.clock.at += 24 * 60 * 60
  t.deepEqual(await confirm(her, token), { kind: 'expired' })
  her.clock.at -= 10
  await her.store.accounts.close(her.id, her.clock.at)
  t.deepEqual(await confirm(her, token), { kind: 'unknown' })
  t.is(await kept(her), undefined)
  t.deepEqual(await confirm(her, 'no-such-token'), { kind: 'unknown' })
})

test('what is no address, differs or is hers already is said in words', async (t) => {
  const her = await buildMember(t, { recovery: { value: 'old@example.com', confirmed: true } })
  t.like(await ask(her, 'not an address'), {
    problems: { address: 'account.email.address-wrong' },
  })
  t.like(await ask(her, 'a@example.com', 'b@example.com'), {
    problems: { again: 'account.email.differs' },
  })
  t.like(await ask(her, 'OLD@example.com'), { problems: { address: 'account.email.same' } })
  t.like(await ask(her, 'a@example.com\r\nBcc: b@example.com'), { kind: 'again' })
  t.deepEqual(await her.mails(), [])
})
