/** What the audit trail tells afterwards of a day in one person's life, and that it is whole. */
import test from 'ava'
import { verifyAudit } from '#admin/audit.ts'
import { removeClient, rotateSecret } from '#admin/clients.ts'
import { perform } from '#admin/operation.ts'
import { addOnePerson } from '#admin/operations/people.ts'
import { operatorBy } from '#admin/staff.ts'
import { openBrowser } from '../helpers/browser.ts'
import { buildWorld } from '../helpers/world.ts'

test('sign-ins, consent, sign-out, a stolen code and what staff did are all there, and the chain holds', async (t) => {
  const world = await buildWorld(t)
  const { store, keys } = world.house
  const rp = await world.buildApp({ firstParty: false })
  const person = await world.buildPerson()
  const { account, password } = person

  const browser = openBrowser()
  const page = await rp.begin(browser)
  const wrong = await browser.submit(page, 'local-form', { account, password: 'not this one' })
  const consent = await browser.submit(wrong, 'local-form', { account, password })
  const back = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  t.is((await rp.redeem(back.url)).status, 200)
  t.is((await rp.redeem(back.url)).status, 400, 'a code is good once')
  const asked = await browser.open(`${world.issuer}/session/end`)
  await browser.submit(asked, 'sign-out-form', { logout: 'yes' })
  await rotateSecret({ ...world.house, actor: 'operator:lin' }, rp.clientId)
  await removeClient({ ...world.house, actor: 'operator:lin' }, rp.clientId)

  const app = `client:${rp.clientId}`
  const happened = (await store.auditReads.list({ limit: 50 })).toReversed()
  const told = happened.map(({ actor, action, target, outcome }) => [
    actor,
    action,
    target,
    outcome,
  ])
  for (const event of [
    ['operator:test', 'client.create', app, 'ok'],
    ['operator:test', 'account.create', person.sub, 'ok'],
    ['unknown', 'session.sign-in', app, 'wrong'],
    [person.sub, 'session.sign-in', app, 'ok'],
    [person.sub, 'consent.allow', app, 'ok'],
    [app, 'grant.revoke', '', 'ok'],
    [person.sub, 'session.sign-out', '', 'ok'],
    ['operator:lin', 'client.rotate-secret', app, 'ok'],
    ['operator:lin', 'client.remove', app, 'ok'],
  ]) {
    const found = told.some((one) => JSON.stringify(one) === JSON.stringify(event))
    t.true(found, `${event} is not among ${JSON.stringify(told)}`)
  }
  const signIn = happened.find(({ outcome }) => outcome === 'wrong')
  t.like(signIn?.details, { way: 'password', account: person.sub })
  t.regex(signIn?.address ?? '', /^(127\.0\.0\.1|::1)$/)
  t.truthy(signIn?.ref)
  t.notRegex(JSON.stringify(happened), /not this one|wang@/, 'nothing that was typed is kept')
  t.deepEqual((await verifyAudit({ auditReads: store.auditReads, key: keys.audit })).faults, [])
})

test('what is undone leaves no event, and what has an event was done', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const before = (await store.auditReads.list({ limit: 50 })).length
  const taken = await world.buildPerson()
  const again = { account: taken.account, name: '王小明' }
  const second = await perform(world.house, operatorBy('operator:test'), addOnePerson, again)
  t.like(second, { kind: 'rejected', problems: [{ message: 'is taken' }] })
  const after = await store.auditReads.list({ limit: 50, action: 'account.create' })
  t.deepEqual(
    after.map(({ target }) => target),
    [taken.sub],
  )
  t.true(before < (await store.auditReads.list({ limit: 50 })).length)
})
