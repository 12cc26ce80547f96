/** `citygate key …`: signing and cookie keys, and the key that seals them. */

import { type Command, Option } from 'commander'
import type { DescribedKey } from '#admin/keys.ts'
import type { House } from '#http/house.ts'
import { isoSecond } from '#lib/time.ts'
import { exits, inHouse, operator, print, Stop } from './tools.ts'

export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('keys that sign tokens and cookies')

  key
    .command('list')
    .description('every key, what it does and until when')
    .option('--json', 'print as JSON')
    .action(async ({ json }) => {
      const { listKeys } = await import('#admin/keys.ts')
      const keys = await inHouse((house) => listKeys(ports(house)))
      if (json) print(JSON.stringify(keys, null, 2))
      else for (const one of keys) print(describe(one))
    })

  key
    .command('rotate')
    .description('publish successors, which sign once every app has read them')
    .addOption(
      new Option('--purpose <purpose>', 'which keys')
        .choices(['signing', 'cookie'])
        .default('signing'),
    )
    .addOption(new Option('--alg <alg>', 'only this algorithm').choices(['RS256', 'ES256']))
    .option('--now', 'after a theft: the new key signs at once')
    .action(async ({ purpose, alg, now: atOnce = false }) => {
      if (purpose === 'cookie' && alg) throw new Stop(exits.usage, 'cookie keys have no --alg')
      const { rotateKeys } = await import('#admin/keys.ts')
      const { rotated, follow } = await inHouse(async (house) => ({
        rotated: await rotateKeys(ports(house), { purpose, alg, atOnce }),
        follow: house.config.site.keys.follow_seconds,
      }))
      for (const { kid, alg, signsAt, isNew } of rotated) {
        const what = alg ? `${kid} ${alg}` : kid
        const waits = isNew ? 'is published and' : 'waits already and'
        if (atOnce) print(`${what} signs: running processes follow within ${follow} seconds`)
        else print(`${what} ${waits} signs from ${isoSecond(signsAt)}`)
      }
      if (atOnce) {
        print('what was signed before still verifies: end that with `citygate key revoke <kid>`')
      }
    })

  key
    .command('revoke')
    .description(
      'take a key out of the published keys at once: nothing it signed verifies any more',
    )
    .argument('<kid>')
    .action(async (kid) => {
      const { revokeKey } = await import('#admin/keys.ts')
      const { outcome, site } = await inHouse(async (house) => ({
        outcome: await revokeKey(ports(house), kid),
        site: house.config.site,
      }))
      switch (outcome) {
        case 'unknown':
          throw new Stop(exits.unknown, `there is no key ${kid}`)
        case 'signing':
          throw new Stop(
            exits.rejected,
            `${kid} signs now: let another take over first, citygate key rotate --now`,
          )
        case 'permanent':
          throw new Stop(exits.rejected, `${kid} has no successor: it cannot be revoked`)
        case 'revoked': {
          const { follow_seconds, jwks_max_age_seconds } = site.keys
          print(
            `revoked ${kid}: running processes follow within ${follow_seconds} seconds, apps read the keys again within ${jwks_max_age_seconds}`,
          )
        }
      }
    })

  key
    .command('change-kek')
    .description('seal every key under CITYGATE_NEW_KEK (or CITYGATE_NEW_KEK_FILE)')
    .action(async () => {
      const { changeKeyEncryption } = await import('#admin/keys.ts')
      const count = await inHouse((house) => {
        const { newKeyEncryptionKey } = house.config
        if (!newKeyEncryptionKey) {
          throw new Stop(
            exits.usage,
            'set CITYGATE_NEW_KEK (or CITYGATE_NEW_KEK_FILE) to the new key-encryption key; make one with `openssl rand -base64 32`',
          )
        }
        return changeKeyEncryption(ports(house), newKeyEncryptionKey)
      })
      print(
        `${count} keys are sealed under the new key-encryption key: start with it as CITYGATE_KEK from now on`,
      )
    })
}

const ports = (house: House) => ({
  store: house.store,
  keyEncryption: house.keyEncryption,
  now: house.now,
  site: house.config.site,
  actor: operator(),
})

function describe({ kid, alg, purpose, state, ...times }: DescribedKey): string {
  const columns = [kid.padEnd(16), (alg ?? '-').padEnd(5), purpose.padEnd(8), state.padEnd(9)]
  const dates = [
    ['published', times.published_at],
    ['signs', state === 'permanent' ? undefined : times.signs_at],
    ['until', times.retires_at],
    ['leaves', times.leaves_at],
  ].flatMap(([name, at]) => (typeof at === 'number' ? [`${name} ${isoSecond(at)}`] : []))
  return [...columns, ...dates].join('  ')
}
