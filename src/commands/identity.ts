/** `citygate identity …`: upstream accounts people sign in with. */
import type { Command } from 'commander'
import type { ListedIdentity } from '#admin/identities.ts'
import { isoSecond, seconds } from '#lib/time.ts'
import { exits, inHouse, operator, print, readCount, Stop } from './tools.ts'

export function addIdentityCommands(program: Command): void {
  const identity = program
    .command('identity')
    .description('upstream accounts people sign in with, and whose they are')

  identity
    .command('list')
    .description('links of which something could not be read, or one account’s')
    .option('--unread', 'of whose last answer something could not be read, the newest first')
    .option('--account <sub>', 'those that lead to this account')
    .option('--limit <n>', 'at most so many', '100')
    .option('--json', 'print as JSON')
    .action(async ({ unread, account, limit, json }) => {
      if (!unread === !account) throw new Stop(exits.usage, 'give --unread or --account')
      const most = readCount('--limit', limit)
      const which = account
        ? { accountId: String(account) }
        : { unread: true as const, limit: most }
      const rows = await inHouse(async ({ store }) => {
        const { listIdentities } = await import('#admin/identities.ts')
        return listIdentities(store, which)
      })
      if (json) print(JSON.stringify(rows.map(toJson), null, 2))
      else for (const row of rows) print(describe(row))
    })

  identity
    .command('accept')
    .description('a sign-in was stopped, and it is the same person still: let her in again')
    .argument('<id>')
    .action(async (id) => {
      const accepted = await inHouse(async ({ store, now }) => {
        const { acceptIdentity } = await import('#admin/identities.ts')
        return acceptIdentity(store, id, { actor: operator(), at: seconds(now) })
      })
      if (!accepted) throw new Stop(exits.unknown, `there is no identity ${id}`)
      print(`accepted ${id}: its next sign-in sets what it is told by`)
    })

  identity
    .command('unlink')
    .description('it is somebody else’s now: it leads to this account no more, whose sessions end')
    .argument('<id>')
    .action(async (id) => {
      const released = await inHouse(async ({ store, now }) => {
        const { releaseIdentity } = await import('#admin/identities.ts')
        return releaseIdentity(store, id, { actor: operator(), at: seconds(now) })
      })
      if (released.kind === 'unknown') throw new Stop(exits.unknown, `there is no identity ${id}`)
      const { accountId, waysLeft } = released
      print(`unlinked ${id} from account ${accountId}`)
      if (waysLeft === 0) print('nobody can sign in to that account now: it had no other way in')
    })
}

const toJson = ({ accountId, readAt, hasFingerprint, ...row }: ListedIdentity) => ({
  ...row,
  account: accountId,
  read_at: readAt,
  has_fingerprint: hasFingerprint,
})

const describe = ({ id, connector, accountId, readAt, unread }: ListedIdentity): string =>
  [id, connector.padEnd(12), accountId, isoSecond(readAt), unread.join(', ')].join('  ').trimEnd()
