/** Staff settle whose an upstream login is: of one person, and of upstreams within reach. */
import { isLastOwner } from '#accounts/last-owner.ts'
import { tell } from '#accounts/tell.ts'
import type { Tables } from '#store/store.ts'
import { acceptIn, releaseIn } from '../identities.ts'
import { type Acting, done, unknown } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { lettersLanguage, uponPerson } from './acts.ts'
import { reaches } from './reach.ts'

type Link = { sub: string; identity: string }

/** Hers, and at an upstream whose people `by` reaches. */
async function findLink(tables: Tables, by: Acting, { sub, identity }: Link) {
  const found = await tables.identities.get(identity)
  return found?.accountId === sub && reaches(by, found.connector) ? found : undefined
}

const settling = ({ actor, at, where }: Acting) => ({ actor, at, where })

/** It is the same person still. */
export const acceptLink = (ports: AdminPorts, by: Acting, link: Link) =>
  uponPerson(ports, by, link.sub, async (tables) => {
    const found = await findLink(tables, by, link)
    if (!found || !(await acceptIn(tables, found.id, settling(by)))) return unknown
    return done({})
  })

/** With her held: she comes in by one login and nothing else. */
const isLastWay = async ({ identities, credentials }: Tables, id: string) =>
  (await identities.ofAccount(id)).length === 1 && !(await credentials.findPassword(id))

/** It is somebody else's now: whoever came in by it is out. */
export const unlink = (ports: AdminPorts, by: Acting, link: Link) =>
  uponPerson(ports, by, link.sub, async (tables, account) => {
    const found = await findLink(tables, by, link)
    if (!found) return unknown
    if ((await isLastWay(tables, account.id)) && (await isLastOwner(tables, account.id))) {
      return { kind: 'refused', why: 'people-last-owner' }
    }
    const released = await releaseIn(tables, found.id, settling(by))
    if (released.kind === 'unknown') return unknown
    const label = ports.config.connectors.find(({ id }) => id === found.connector)?.label
    const county = label?.[lettersLanguage] ?? found.connector
    await tell(tables, account, { at: by.at, language: lettersLanguage }, (her) =>
      ports.writeLetter({ kind: 'identity-unlinked', ...her, params: { ...her.params, county } }),
    )
    return done({ waysLeft: released.waysLeft })
  })
