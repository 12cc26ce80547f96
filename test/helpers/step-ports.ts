/** What steps are lent, on a database of one's own: the real thing but for the clock and the codes. */
import type { ExecutionContext } from 'ava'
import { openCounters } from '#accounts/counters.ts'
import { normalName } from '#accounts/local.ts'
import { openPasswordRules } from '#accounts/password-rules.ts'
import { openPasswords } from '#accounts/passwords.ts'
import type { StepPorts } from '#enrolment/step-ports.ts'
import { openProofOfWork } from '#lib/proof-of-work.ts'
import { openTerms } from '#lib/terms.ts'
import { openPictures } from '#outside/pictures.ts'
import { openStore, type Store } from '#store/store.ts'
import { createDatabase } from './database.ts'

/** 2026-11-21, noon in Taiwan. */
export const noon = Date.parse('2026-11-21T12:00:00+08:00') / 1000

const key = Buffer.alloc(32, 1)

export type LentSteps = {
  ports: StepPorts
  store: Store
  /** Seconds since 1970; set it to let time pass. */
  clock: { at: number }
  /** Somebody has this name from now on. */
  take(type: 'email' | 'username', value: string): Promise<void>
}

export async function lendSteps(t: ExecutionContext): Promise<LentSteps> {
  const clock = { at: noon }
  const now = () => clock.at * 1000
  const store = openStore(await createDatabase(t))
  const passwords = openPasswords({ cost: { memoryCost: 1_024, timeCost: 1 } })
  const pictures = openPictures()
  t.teardown(async () => {
    pictures.close()
    await passwords.close()
    await store.close()
  })
  await store.migrate()
  const ports: StepPorts = {
    randomCode: () => '123456',
    codeKey: key,
    passwords,
    judgePassword: openPasswordRules(),
    isTaken: async (type, value) =>
      (await store.identifiers.find(type, normalName(value))) !== undefined,
    resetUrl: 'https://id.example/reset',
    counters: openCounters({ store, now, key }),
    encodePicture: pictures.encode,
    proofOfWork: openProofOfWork({ key, now }),
    terms: openTerms(new Map()),
    connectors: [
      {
        id: 'ntpc',
        label: { 'zh-TW': '新北市', en: 'New Taipei City' },
        keywords: [],
        connected: true,
        origins: ['https://openid.ntpc.example'],
      },
    ],
  }
  return {
    ports,
    store,
    clock,
    async take(type, value) {
      const accountId = crypto.randomUUID()
      const row = { id: accountId, kind: 'person', status: 'active' as const, profile: {} }
      await store.accounts.create({ ...row, createdAt: clock.at, updatedAt: clock.at })
      await store.identifiers.take({ type, value, accountId, verifiedAt: clock.at })
    },
  }
}
