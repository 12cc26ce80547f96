import { randomUUID } from 'node:crypto'
import test from 'ava'
import { buildStore, engines } from '../helpers/database.ts'

for (const engine of engines) {
  test(`${engine}: the first acceptance of a version is kept, and the newest version is on the account`, async (t) => {
    const store = await buildStore(t, engine)
    const accountId = randomUUID()
    const row = { id: accountId, kind: 'person', status: 'active' as const, profile: {} }
    await store.accounts.create({ ...row, createdAt: 1, updatedAt: 1 })
    const agree = (terms: string, version: string, agreedAt: number) =>
      store.transaction((tables) =>
        tables.agreements.agree({
          accountId,
          terms,
          version,
          language: 'zh-TW',
          hash: 'h'.repeat(43),
          agreedAt,
          address: '192.0.2.7',
        }),
      )
    t.deepEqual((await store.accounts.find(accountId))?.agreed, {})
    await agree('site-rules', '2014-08-01', 10)
    await agree('site-rules', '2014-08-01', 20)
    await agree('privacy', '2020-01-01', 30)
    await agree('site-rules', '2026-09-01', 40)
    await agree('site-rules', '2025-01-01', 50)
    t.deepEqual((await store.accounts.find(accountId))?.agreed, {
      'site-rules': '2026-09-01',
      privacy: '2020-01-01',
    })
    t.deepEqual(
      (await store.agreements.ofAccount(accountId)).map((one) => [one.version, one.agreedAt]),
      [
        ['2014-08-01', 10],
        ['2020-01-01', 30],
        ['2026-09-01', 40],
        ['2025-01-01', 50],
      ],
    )
  })
}
