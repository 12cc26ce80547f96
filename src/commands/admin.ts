/** `citygate admin …`: who may open the console, and how the first owner gets there. */
import { type Command, Option } from 'commander'
import { roles } from '#admin/staff.ts'
import type { House } from '#http/house.ts'
import { isoTime, seconds } from '#lib/time.ts'
import { exits, inHouse, operator, print, rejected, Stop } from './tools.ts'

export function addAdminCommands(program: Command): void {
  const admin = program.command('admin').description('who may open the console')

  narrowed(admin.command('invite').description('invite somebody to become staff; prints the link'))
    .requiredOption('--email <address>', 'her own mailbox')
    .addOption(language())
    .option('--json', 'print as JSON')
    .action(async ({ email, role, county, own, language, json }) => {
      const reach = readReach({ county, own })
      const [{ inviteStaff }, { inviteStaff: wanted }] = await Promise.all([
        import('#admin/staff/inviting.ts'),
        import('#admin/operations/staff.ts'),
      ])
      const { problemsOf } = await import('#admin/operation.ts')
      const parsed = wanted.input.safeParse({ email, roles: [{ role, reach }], language })
      if (!parsed.success) throw rejected(problemsOf(parsed.error))
      const { invited, mailed } = await inHouse(async (house) => {
        const mailed = takesMail(house)
        const by = await acting(house, language)
        return { invited: await inviteStaff(house, by, parsed.data, { unmailed: !mailed }), mailed }
      })
      if (invited.kind === 'rejected') throw rejected(invited.problems)
      if (invited.kind !== 'done') throw new Stop(exits.rejected, `not invited: ${invited.kind}`)
      const { link, expiresAt, id } = invited.value
      if (json) return say(JSON.stringify({ id, link, expiresAt, mailed }, null, 2))
      sayLink({ link, expiresAt, mailed, email: parsed.data.email })
    })

  admin
    .command('list')
    .description('who has a role, and who is invited')
    .addOption(new Option('--role <role>', 'only who has this one').choices(roles))
    .option('--county <id>', 'only who has a role that is narrowed to this upstream')
    .option('--name <text>', 'only who has this in her name or in what she signs in with')
    .option('--json', 'print as JSON')
    .action(async ({ json, ...wished }) => {
      const { listInvitations, listStaff } = await import('#admin/staff/roles.ts')
      const filtered = Object.keys(wished).length > 0
      const { people, invitations } = await inHouse(async (house) => {
        const people = await listStaff(house, { limit: 10_000, ...wished })
        const open = await listInvitations(house, seconds(house.now))
        return {
          people: people.kind === 'done' ? people.value.items : [],
          // Nobody has those roles yet.
          invitations: filtered ? [] : open.value.items,
        }
      })
      if (json) return say(JSON.stringify({ staff: people, invitations }, null, 2))
      for (const { holder, account, name, roles, status, secondFactors } of people) {
        const lacks = secondFactors === 0 ? '  no second factor' : ''
        const state = status === 'active' ? '' : `  ${status}`
        print(`${holder}  ${account ?? name}  ${roles.map(asText).join(', ')}${state}${lacks}`)
      }
      for (const { email, roles, expiresAt, holder } of invitations) {
        const what = holder ? `second factor of ${holder}` : roles.map(asText).join(', ')
        print(`invited until ${expiresAt}  ${email || 'handed over'}  ${what}`)
      }
      if (people.length + invitations.length === 0) {
        print(
          filtered
            ? 'nobody; without a filter all of them are listed'
            : 'nobody has a role yet: npx citygate admin invite --email … --role owner',
        )
      }
    })

  narrowed(admin.command('revoke').description('take a role away; counts at once'))
    .argument('<account>', 'a user name or address, an account’s id, or client:<id>')
    .action(async (who, { role, county, own }) => {
      const reach = readReach({ county, own })
      const { takeRole } = await import('#admin/staff/roles.ts')
      const taken = await inHouse(async (house) => {
        const holder = await findHolder(house, who)
        return takeRole(house, await acting(house), { holder, role, reach })
      })
      if (taken.kind === 'done') return say(`${who} is ${role} no more`)
      if (taken.kind === 'refused')
        throw new Stop(
          exits.rejected,
          `${who} is the last owner who can get in: invite another one first`,
        )
      throw new Stop(exits.unknown, `${who} does not have this role: see \`citygate admin list\``)
    })

  admin
    .command('reset-factors')
    .description('take somebody’s lost second factors away; staff get a link to set up new ones')
    .argument('<account>', 'a user name or address, or an account’s id')
    .addOption(language())
    .action(async (who, { language }) => {
      const { resetFactors } = await import('#admin/staff/resetting.ts')
      const { reset, mailed } = await inHouse(async (house) => {
        const mailed = takesMail(house)
        const holder = await findHolder(house, who)
        const by = await acting(house, language)
        return { reset: await resetFactors(house, by, holder, { unmailed: !mailed }), mailed }
      })
      if (reset.kind === 'refused')
        throw new Stop(
          exits.rejected,
          `no address of ${who} is known: set one first, or run it without SMTP_URL`,
        )
      if (reset.kind !== 'done')
        throw new Stop(exits.unknown, `${who} has no second factors to take away`)
      print(`the second factors of ${who} are gone, and every session has ended`)
      const { invited } = reset.value
      if (!invited) return say('she sets up new ones at /account/second-factor')
      const expiresAt = isoTime(invited.expiresAt)
      sayLink({ link: invited.link, expiresAt, mailed, email: 'her' })
    })
}

const language = () =>
  new Option('--language <language>', 'of the letter').choices(['zh-TW', 'en']).default('zh-TW')

const narrowed = (command: Command) =>
  command
    .addOption(new Option('--role <role>', 'what she may do').choices(roles).makeOptionMandatory())
    .option('--county <id>', 'people and upstreams of this upstream only')
    .option('--own', 'apps she owns only')

function readReach({ county, own }: { county?: string; own?: boolean }): string {
  if (county && own) throw new Stop(exits.usage, '--county and --own: a role has one reach')
  return county ? `county:${county}` : own ? 'own' : ''
}

const asText = ({ role, reach }: { role: string; reach: string }) =>
  reach ? `${role} (${reach})` : role

/** Somebody delivers what waits in the outbox. */
const takesMail = ({ config }: House) => config.mail !== undefined || config.sandbox !== undefined

async function acting({ now }: Pick<House, 'now'>, language = 'zh-TW') {
  const { operatorActing } = await import('#admin/operation.ts')
  return operatorActing(operator(), seconds(now), language)
}

async function findHolder({ store, config }: House, who: string): Promise<string> {
  if (who.startsWith('client:')) return who
  const { findByName } = await import('#accounts/local.ts')
  const found =
    (await store.accounts.find(who))?.id ??
    (await findByName(store, who, config.site.local_accounts.domain))
  if (!found) throw new Stop(exits.unknown, `there is no account ${who}`)
  return found
}

const say = (text: string): void => void print(text)

type Said = { link: string; expiresAt: string; mailed: boolean; email: string }

function sayLink({ link, expiresAt, mailed, email }: Said) {
  print(link)
  print(`good until ${expiresAt}, once, and for whoever has it`)
  if (mailed) print(`a letter with it to ${email} is on its way`)
  else print('no mail server is set (SMTP_URL): hand it over yourself')
}
