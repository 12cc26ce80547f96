/**
 * Where node-oidc-provider keeps its artefacts. It reads `consumed` and ignores what `consume()` gives
 * back, so the losers of a race are refused here, by throwing.
 */
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import { seal, sha256, unseal } from '#lib/crypto.ts'
import { neighbourhood } from '#lib/networks.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Payload, PayloadRow, Payloads, StoredPayload } from '#store/payloads.ts'
import type { Store } from '#store/store.ts'
import type { Seen } from './sessions.ts'
import { fromInHand, openUnitPayloads, type UnitPayloads } from './unit.ts'

export type AdapterPorts = {
  now: Now
  /** Seals identifiers that stand inside another artefact's payload. */
  dataKey: Buffer
  /** Whose artefacts: several providers may share one table. */
  realm?: string
  /** Models kept elsewhere. */
  elsewhere?: Record<string, Adapter>
  /** Programs may register themselves: how that is kept. */
  writeClients?: Pick<Adapter, 'upsert' | 'destroy'>
}

/** Fields that are themselves something a bearer could present: never kept plain. */
const sealedFields: Record<string, string[]> = {
  DeviceCode: ['jti', 'userCode'],
  Interaction: ['deviceCode', 'parJti'],
}

/** An adapter per model over the payload table; clients come from the registry of clients. */
export function openAdapter(
  store: Pick<Store, 'payloads'>,
  ports: AdapterPorts,
  findClient: (id: string) => Promise<Payload | undefined> = async () => undefined,
): AdapterFactory {
  const payloads = openUnitPayloads(store.payloads)
  return (model) => {
    if (model === 'Client') return clientAdapter(findClient, ports.writeClients)
    return ports.elsewhere?.[model] ?? artefactAdapter(payloads, model, ports)
  }
}

const buried = new Set(['Interaction', 'Session'])

/** What is left of an interaction that expired or was finished: the request it answered. */
export async function findPastInteraction(
  payloads: Payloads,
  uid: string,
): Promise<{ params: Record<string, string>; device?: string; finished: boolean } | undefined> {
  const [row] = await payloads.find([payloadKey('', 'Interaction', uid)])
  const { params, prompt } = (row?.payload ?? {}) as Partial<AdapterPayload>
  if (!row || !params) return undefined
  const texts = Object.entries(params).filter((entry) => typeof entry[1] === 'string')
  return {
    params: Object.fromEntries(texts) as Record<string, string>,
    device: prompt?.details.device as string | undefined,
    finished: row.consumedAt !== undefined,
  }
}

const payloadKey = (realm: string, model: string, id: string) => sha256(`${realm}${model}:${id}`)

function artefactAdapter(payloads: UnitPayloads, model: string, ports: AdapterPorts): Adapter {
  const realm = ports.realm ?? ''
  const key = (id: string) => payloadKey(realm, model, id)
  const sealed = sealedFields[model] ?? []
  const context = `oidc_payload.${model}`

  const toRow = (id: string, payload: AdapterPayload, expiresIn?: number): PayloadRow => {
    const kept: Payload = { ...payload }
    // The identifier is what the bearer presents: it comes back from him, not from us.
    delete kept.jti
    delete kept.consumed
    if (typeof kept.returnTo === 'string') kept.returnTo = kept.returnTo.replace(id, '')
    // node-oidc-provider copies the session cookie's value here and never reads it again.
    if (payload.session) kept.session = { ...payload.session, cookie: undefined }
    if (model === 'Session') kept.seen = seen(seconds(ports.now))
    for (const field of sealed) {
      const value = payload[field]
      if (typeof value === 'string') kept[field] = seal(ports.dataKey, value, context)
    }
    return {
      id: key(id),
      model,
      payload: kept,
      grantId: payload.grantId ?? (model === 'Grant' ? id : undefined),
      uid: model === 'Session' ? payload.uid : undefined,
      userCode: payload.userCode && key(payload.userCode),
      // An interaction belongs to whoever answered it.
      accountId: payload.accountId ?? payload.result?.login?.accountId,
      grantKey: payload.grantId && payloadKey(realm, 'Grant', payload.grantId),
      sessionUid: payload.sessionUid,
      clientId: payload.clientId,
      expiresAt: expiresIn === undefined ? undefined : seconds(ports.now) + expiresIn,
    }
  }

  const fromRow = (row: StoredPayload | undefined, id?: string): AdapterPayload | undefined => {
    if (!row) return undefined
    const payload: AdapterPayload = { ...row.payload }
    if (id !== undefined) payload.jti = id
    for (const field of sealed) {
      const value = row.payload[field]
      if (typeof value === 'string') payload[field] = unseal(ports.dataKey, value, context)
    }
    if (payload.returnTo !== undefined && id !== undefined) payload.returnTo += id
    if (row.consumedAt !== undefined) payload.consumed = row.consumedAt
    return payload
  }

  return {
    async upsert(id, payload, expiresIn) {
      const row = toRow(id, payload, expiresIn)
      if (model === 'ReplayDetection') {
        if (!(await payloads.claim(row))) throw new errors.InvalidRequest('jti was used before')
      } else if (model === 'Interaction' && payload.result !== undefined) {
        // An answer belongs to a question that is still open: two tabs must not revive a finished one.
        if (!(await payloads.replace(row))) throw new errors.SessionNotFound('interaction is over')
      } else if (
        model === 'DeviceCode' &&
        payload.inFlight &&
        !payload.accountId &&
        !payload.error
      ) {
        // Two people who confirm one code at the same moment: the first has it.
        const claim = { ...row, id: key(`in flight ${id}`), payload: {}, userCode: undefined }
        if (!(await payloads.claim(claim)))
          throw new errors.InvalidRequest('code is being confirmed')
        await payloads.save(row)
      } else {
        await payloads.save(row)
      }
    },
    async find(id) {
      const row = await payloads.find(key(id))
      // A finished interaction stays as a tombstone, so that the back button gets a page that knows the app.
      // An ended session stays as one, so that a request that had read it before does not bring it back.
      if (buried.has(model) && row?.consumedAt !== undefined) return undefined
      return fromRow(row, id)
    },
    findByUid: async (uid) => fromRow(await payloads.findByUid(uid)),
    findByUserCode: async (code) => fromRow(await payloads.findByUserCode(key(code))),
    async consume(id) {
      if (await payloads.consume(key(id), seconds(ports.now))) return
      if (model === 'PushedAuthorizationRequest') {
        throw new errors.InvalidRequestUri('request_uri was used before')
      }
      if (model === 'AuthorizationCode') {
        // RFC 6749 §4.1.2: a code presented twice ends what was issued for it.
        const grantId = (await payloads.find(key(id)))?.payload.grantId
        if (typeof grantId === 'string') await payloads.destroyGrant(grantId)
      }
      throw new errors.InvalidGrant('was used before')
    },
    async destroy(id) {
      const at = seconds(ports.now)
      if (model === 'Session') {
        if (await payloads.bury(key(id), at)) return
        // Its id was about to change, which another tab may have done first. Where it was ended from outside meanwhile,
        // it must not go on under another id.
        const left = await payloads.find(key(id))
        if (left?.payload.ended) throw new errors.SessionNotFound('session was ended')
      } else if (model !== 'Interaction') await payloads.destroy(key(id))
      else if (!(await payloads.consume(key(id), at))) {
        // Of two that resume one answered request, one gets the code.
        throw new errors.SessionNotFound('interaction is over')
      }
    },
    revokeByGrantId: (grantId) => payloads.destroyGrant(grantId, model),
  }
}

/** From where the request in hand comes. */
function seen(at: number): Seen | undefined {
  const from = fromInHand()
  if (!from) return undefined
  return { at, agent: from.agent.slice(0, 256), address: neighbourhood(from.address) }
}

function clientAdapter(
  find: (id: string) => Promise<Payload | undefined>,
  write: AdapterPorts['writeClients'],
): Adapter {
  const refuse = async () => {
    throw new Error('clients are written by the registry, not by the provider')
  }
  return {
    // PostgreSQL knows no text with a NUL in it, and throws.
    find: async (id) => (id.includes('\0') ? undefined : find(id)),
    upsert: write?.upsert ?? refuse,
    destroy: write?.destroy ?? refuse,
    consume: refuse,
    revokeByGrantId: refuse,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  }
}
