/** Staff at the console, in a browser without a screen. */
import type { Grant } from '#admin/staff.ts'
import { openMember } from './account.ts'
import type { Browser, Page } from './browser.ts'
import type { World } from './world.ts'

export type Staff = Awaited<ReturnType<World['buildPerson']>> & {
  browser: Browser
  /** A page of the console: a path below the issuer. */
  open(path: string): Promise<Page>
  /** What she says at the API, as her browser would not: `Authorization` is the caller's to add. */
  ageBy(seconds: number): Promise<void>
}

let count = 0

/**
 * Somebody with these roles, signed in with both factors: how that is done has tests of its own, here her session is
 * made to say so.
 */
export async function openStaff(
  world: World,
  grants: Grant[] = [{ role: 'owner', reach: '' }],
): Promise<Staff> {
  const { store, config } = world.house
  const member = await openMember(world, { account: `staff${++count}@mail.edu.tw`, name: '陳管理' })
  for (const { role, reach } of grants) {
    const row = { holder: member.sub, role, reach, grantedAt: 1, grantedBy: 'operator:test' }
    await store.staffRoles.grant(row)
  }
  const change = async (more: (payload: Record<string, unknown>) => object) => {
    for (const { id, payload } of await store.payloads.sessionsOf(member.sub, 0)) {
      const uid = String(payload.uid)
      const changed = { ...payload, ...more(payload) }
      const expiresAt = Math.floor(Date.now() / 1000) + 1800
      await store.payloads.save([
        { id, model: 'Session', payload: changed, uid, accountId: member.sub, expiresAt },
      ])
    }
  }
  await change(() => ({ acr: config.site.acr.two_factor, amr: ['pwd', 'otp', 'mfa'] }))
  return {
    ...member,
    ageBy: (seconds) => change(({ loginTs }) => ({ loginTs: Number(loginTs) - seconds })),
  }
}
