/**
 * Programs that register themselves (RFC 7591) and look after their registration (RFC 7592). node-oidc-provider speaks
 * the protocol; what may be registered, and how it is kept, is its lender's to say.
 */
import {
  type Adapter,
  type AdapterPayload,
  type Client,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import { randomToken, sha256 } from '#lib/crypto.ts'
import type { Circumstances } from '#store/store.ts'
import { newClientId } from './clients.ts'
import { forgetClient } from './remembered-clients.ts'

export type Metadata = Record<string, unknown>

/** A token somebody presents, by its digest. */
type Token = { digest: string }

export type Registering = {
  id: string
  /** RFC 7591's names, as the provider understood them. */
  metadata: Metadata
  /** A new secret, to be kept as its digest; absent where the one before stays, or where it has no use for one. */
  secret?: string
  where: Circumstances
}

export type Registry = {
  /** True while somebody may register with it. */
  mayRegister(token: Token): Promise<boolean>
  /** Whose registration it opens. */
  ownerOf(token: Token): Promise<string | undefined>
  /**
   * Puts in order what a program wants to be, or throws `RegistrationRefused`. Nothing named in it is looked up.
   * `before`: how it is registered so far.
   */
  judge(
    wanted: Metadata,
    by: { initial: Token } | { owner: Token; before: Metadata },
  ): Promise<void>
  /** Uses the token once. False if it was used up meanwhile: nothing was kept. */
  create(client: Registering, initial: Token): Promise<boolean>
  /** Uses the owner's token up. False if somebody else did meanwhile: nothing was kept. */
  change(client: Registering, owner: Token): Promise<boolean>
  /** With everything that was issued to it. False if somebody else used the token meanwhile. */
  remove(id: string, owner: Token, where: Circumstances): Promise<boolean>
  /** From now on this token opens it. */
  setOwner(id: string, owner: Token): Promise<void>
}

/** A program may not be what it wants to be. `error` is RFC 7591 §3.2.2's word. */
export class RegistrationRefused extends Error {
  override name = 'RegistrationRefused'
  readonly error: 'invalid_client_metadata' | 'invalid_redirect_uri' | 'invalid_software_statement'
  constructor(error: RegistrationRefused['error'], message: string) {
    super(message)
    this.error = error
  }
}

const policy = 'citygate'

type Features = NonNullable<Configuration['features']>

export const registrationFeatures = (
  registry: Registry,
): Pick<Features, 'registration' | 'registrationManagement'> => ({
  registration: {
    enabled: true,
    // Never open: who registers was given a token by staff.
    initialAccessToken: true,
    issueRegistrationAccessToken: true,
    idFactory: newClientId,
    secretFactory: () => randomToken(),
    policies: {
      async [policy](ctx, properties) {
        try {
          await registry.judge(properties, presented(ctx))
        } catch (error) {
          if (!(error instanceof RegistrationRefused)) throw error
          throw new errors.CustomOIDCProviderError(error.error, error.message)
        }
      },
    },
  },
  registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
})

/** What a request to register or to change came with. */
function presented({ oidc }: KoaContextWithOIDC) {
  const { client, entities, route } = oidc
  const digest = sha256(oidc.getAccessToken())
  if (route === 'registration' && entities.InitialAccessToken) return { initial: { digest } }
  if (!client) throw new Error('a registration is changed without its client')
  return { owner: { digest }, before: client.metadata() as Metadata }
}

const whereOf = ({ state }: KoaContextWithOIDC): Circumstances => ({
  address: String(state.source ?? ''),
  ref: String(state.ref ?? ''),
})

/** What stands on the row beside the metadata, or is the provider's own. */
const apart = new Set([
  'client_id',
  'client_secret',
  'client_secret_expires_at',
  'client_id_issued_at',
  'api_scopes',
  'disabled',
])

const isDigest = (secret: unknown) => typeof secret === 'string' && secret.startsWith('sha256:')

/** Writing and removing clients, for the adapter: only inside of a registration. */
export function registeredClients(
  registry: Registry,
  provider: () => Provider,
): Pick<Adapter, 'upsert' | 'destroy'> {
  const inHand = () => {
    const { ctx } = Provider
    if (!ctx) throw new Error('clients are written by the registry, not by the provider')
    return { route: ctx.oidc.route, digest: sha256(ctx.oidc.getAccessToken()), where: whereOf(ctx) }
  }
  return {
    async upsert(id, payload) {
      const { route, digest, where } = inHand()
      const entries = Object.entries(payload).filter(
        ([key, value]) => !apart.has(key) && value !== undefined,
      )
      const { client_secret: secret } = payload as { client_secret?: string }
      const client: Registering = { id, metadata: Object.fromEntries(entries), where }
      if (secret !== undefined && !isDigest(secret)) client.secret = secret
      if (route === 'registration') {
        if (!(await registry.create(client, { digest }))) throw usedUp()
      } else if (route === 'client_update') {
        if (!(await registry.change(client, { digest }))) throw usedUp()
      } else throw new Error(`a client is written by ${route}`)
      forgetClient(provider(), id)
    },
    async destroy(id) {
      const { digest, where } = inHand()
      if (!(await registry.remove(id, { digest }, where))) throw usedUp()
      forgetClient(provider(), id)
    },
  }
}

const usedUp = () => new errors.InvalidToken('was used before')

/** Tokens of both kinds as the provider reads them: what is kept of them is a digest, beside what they are for. */
export function registrationTokens(registry: Registry): Record<string, Adapter> {
  const never = async () => undefined
  const none = {
    findByUid: never,
    findByUserCode: never,
    consume: never,
    revokeByGrantId: never,
  } as const
  return {
    InitialAccessToken: {
      ...none,
      async find(id) {
        if (!(await registry.mayRegister({ digest: sha256(id) }))) return undefined
        return { kind: 'InitialAccessToken', jti: id, policies: [policy] } as AdapterPayload
      },
      async upsert() {
        throw new Error('initial access tokens are made by staff')
      },
      destroy: never,
    },
    RegistrationAccessToken: {
      ...none,
      async find(id) {
        const clientId = await registry.ownerOf({ digest: sha256(id) })
        if (clientId === undefined) return undefined
        return {
          kind: 'RegistrationAccessToken',
          jti: id,
          clientId,
          policies: [policy],
        } as AdapterPayload
      },
      upsert: (id, { clientId }) => registry.setOwner(String(clientId), { digest: sha256(id) }),
      // It was used up with the change or the removal it came with; one that was tried on another app opens its own still.
      destroy: never,
    },
  }
}

type OidcContext = {
  route: string
  entities: { Client?: Client }
  entity(name: string, value: unknown): void
}

/**
 * We keep a secret's digest: what a program sends back is compared with that, and the digest is told to nobody.
 */
export function hideSecretDigests(provider: Provider): void {
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: OidcContext } })
    .OIDCContext
  const { entity } = prototype
  prototype.entity = function (name, value) {
    entity.call(this, name, value)
    if (name === 'RegistrationAccessToken' && this.route === 'client_update') readByDigest(this)
  }
  provider.use(async (ctx, next) => {
    await next()
    const { body } = ctx
    if (typeof body !== 'object' || body === null || !('client_secret' in body)) return
    if (isDigest(body.client_secret)) delete body.client_secret
  })
}

/** The body is set once, a moment later, and its secret compared with what we keep. */
function readByDigest(oidc: OidcContext): void {
  let sent: unknown
  Object.defineProperty(oidc, 'body', {
    configurable: true,
    get: () => sent,
    set(body: unknown) {
      sent = body
      const { Client: client } = oidc.entities
      if (typeof body !== 'object' || body === null || !('client_secret' in body)) return
      const { client_secret: secret } = body
      if (typeof secret === 'string' && client?.compareClientSecret(secret))
        body.client_secret = client.clientSecret
    },
  })
}
