/** One person in words: names of upstreams and apps, moments, and what may be unmasked. */
import type { z } from 'zod'
import { changeable } from '#admin/people/change.ts'
import type { person, signIn } from '#admin/people/shapes.ts'
import type { Language } from '#config/words.ts'
import type { Message } from '#lib/messages.ts'
import { describeAgent } from '#lib/user-agent.ts'
import type { House } from '../../house.ts'
import { namesOfApps } from '../account/app-names.ts'
import { connectorLabel, dateIn } from '../account/labels.ts'
import { schoolLabel } from '../labels.ts'
import type { ShownPerson, ShownSignIn } from './people-views.ts'

export type Person = z.output<typeof person>
type SignIn = z.output<typeof signIn>

export function openPersonShapes(house: House) {
  const { config, messages } = house
  const say = (lang: Language, key: string) => messages.translate(lang, key)

  const label = (lang: Language, id: string) => connectorLabel(house, lang, id)

  /** Who vouched: a county, or somebody of ours. */
  function vouchedBy(lang: Language, by: string): Message {
    if (config.connectors.some(({ id }) => id === by)) {
      return { key: 'admin.people.by.county', params: { county: label(lang, by) } }
    }
    const key = `admin.people.by.${by}`
    return messages.has(key) ? key : { key: 'admin.people.by.county', params: { county: by } }
  }

  return {
    async person(lang: Language, one: Person): Promise<ShownPerson> {
      const ids = [
        ...one.apps.map(({ client }) => client),
        ...one.sessions.flatMap(({ apps }) => apps),
      ]
      const nameOf = await namesOfApps(house, lang, ids)
      return {
        ...one,
        roles: one.roles ?? [],
        createdAt: new Date(one.createdAt),
        updatedAt: new Date(one.updatedAt),
        closedAt: dateIn(one.closedAt),
        profile: one.profile.map(({ at, by, verified, ...rest }) => ({
          ...rest,
          verified,
          by: vouchedBy(lang, by),
          at: new Date(at),
        })),
        identifiers: one.identifiers.map(({ verifiedAt, ...rest }) => ({
          ...rest,
          verified: verifiedAt !== undefined,
        })),
        passwordAt: dateIn(one.password?.changedAt),
        recovery: one.recovery && {
          address: one.recovery.address,
          since: new Date(one.recovery.since),
          confirmed: one.recovery.confirmedAt !== undefined,
        },
        guardian: one.guardian && { ...one.guardian, agreedAt: new Date(one.guardian.agreedAt) },
        numbers: one.numbers.map(({ type, since }) => ({ type, since: new Date(since) })),
        identities: one.identities.map(({ county, linkedAt, readAt, ...rest }) => ({
          ...rest,
          county: label(lang, county),
          linkedAt: new Date(linkedAt),
          readAt: new Date(readAt),
        })),
        affiliations: one.affiliations.map(({ school, schoolName, role, county, ...rest }) => ({
          ...rest,
          code: school,
          school: schoolLabel(house, lang, {
            schoolCode: school,
            ...(schoolName ? { schoolName } : {}),
          }),
          role,
          roleKey: `role.${role}`,
          county: label(lang, county),
          readAt: new Date(rest.readAt),
        })),
        factors: one.secondFactors.map(({ createdAt, usedAt, ...rest }) => ({
          ...rest,
          createdAt: new Date(createdAt),
          usedAt: dateIn(usedAt),
        })),
        sessions: one.sessions.map(({ agent, signedInAt, lastSeenAt, network, apps, id }) => ({
          id,
          network,
          agent: agent === undefined ? undefined : describeAgent(agent),
          signedInAt: new Date(signedInAt),
          lastSeenAt: dateIn(lastSeenAt),
          apps: [...new Set(apps.map(nameOf))],
        })),
        apps: one.apps.map(({ consentedAt, ...rest }) => ({
          ...rest,
          name: nameOf(rest.client),
          consentedAt: dateIn(consentedAt),
        })),
        agreements: one.agreements.map(({ agreedAt, ...rest }) => ({
          ...rest,
          agreedAt: new Date(agreedAt),
        })),
        applications: one.applications.map(({ createdAt, updatedAt, ...rest }) => ({
          ...rest,
          createdAt: new Date(createdAt),
          updatedAt: new Date(updatedAt),
        })),
        merges: one.merges.map(({ mergedAt, undoneAt, other, ...rest }) => ({
          ...rest,
          other,
          mergedAt: new Date(mergedAt),
          undoneAt: dateIn(undoneAt),
        })),
      }
    },

    async signIns(lang: Language, items: SignIn[]): Promise<ShownSignIn[]> {
      const nameOf = await namesOfApps(
        house,
        lang,
        items.map(({ app }) => app),
      )
      return items.map(({ at, way, county, app, network, outcome }) => ({
        at: new Date(at),
        way:
          way === 'password'
            ? 'account.way.password'
            : county
              ? { key: 'account.way.upstream', params: { county: label(lang, county) } }
              : 'admin.people.way-elsewhere',
        app: nameOf(app),
        network,
        outcome,
        ok: outcome === 'ok',
      }))
    },

    /** What of hers is masked, as a choice. */
    maskedOptions(lang: Language, one: Person) {
      const claim = (name: string) => {
        const key = `admin.people.claim.${name}`
        return messages.has(key) ? say(lang, key) : name
      }
      return [
        ...one.profile.flatMap(({ claim: name, masked }) =>
          masked ? [{ value: `profile:${name}`, label: claim(name) }] : [],
        ),
        ...one.identifiers.flatMap(({ type }) =>
          type === 'phone'
            ? [{ value: 'identifier:phone', label: say(lang, 'admin.people.identifier.phone') }]
            : [],
        ),
        ...(one.recovery
          ? [{ value: 'recovery:', label: say(lang, 'admin.people.recovery') }]
          : []),
        ...(one.guardian
          ? [{ value: 'guardian:', label: say(lang, 'admin.people.guardian-address') }]
          : []),
        ...one.numbers.map(({ type }) => ({ value: `number:${type}`, label: claim(type) })),
        ...one.identities.map(({ id, county, subject }) => ({
          value: `claims:${id}`,
          label: messages.translate(lang, 'admin.people.claims-of', {
            county: label(lang, county),
            subject: subject.slice(0, 60),
          }),
        })),
      ]
    },

    /** The profile as staff may change it, each with who vouched for what stands there. */
    editable(lang: Language, one: Person) {
      const known = new Map(one.profile.map((row) => [row.claim, row]))
      const entries = Object.entries(changeable).map(([field, claim]) => {
        const row = known.get(claim)
        return { field, value: row?.masked ? '' : (row?.value ?? ''), by: row?.by }
      })
      return {
        values: Object.fromEntries(entries.map(({ field, value }) => [field, value])),
        vouched: Object.fromEntries(
          entries.map(({ field, by }) => [
            field,
            by === undefined ? undefined : vouchedBy(lang, by),
          ]),
        ),
        phone: known.get('phone_number')?.value ?? '',
      }
    },
  }
}
