/** The composition root: the only file that knows every room. What it is made of lies in opening/. */
import { join } from 'node:path'
import { openCounters } from '#accounts/counters.ts'
import { openFingerprints } from '#accounts/fingerprint.ts'
import { openPasswordRules } from '#accounts/password-rules.ts'
import type { PasswordCost } from '#accounts/passwords.ts'
import type { RecoveryPorts } from '#accounts/recovery.ts'
import { openSchoolYear } from '#accounts/school-year.ts'
import { verifyAudit } from '#admin/audit.ts'
import { openImportWork } from '#admin/imports/work.ts'
import { openRegistry } from '#admin/registration/registry.ts'
import { everyPermission, scopeOf } from '#admin/staff.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Config } from '#config/load.ts'
import type { Receiver } from '#config/schema.ts'
import { languages } from '#config/words.ts'
import { openByDay } from '#federation/days.ts'
import { openPlainAddresses } from '#federation/insecure.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { openConnectors } from '#federation/registry.ts'
import { whenever } from '#federation/whenever.ts'
import { openAnswer } from '#http/answer.ts'
import { openAssets } from '#http/assets.ts'
import type { House } from '#http/house.ts'
import { formToken } from '#http/input.ts'
import { openKnownDevices } from '#http/known-devices.ts'
import { openLimits } from '#http/limits.ts'
import { linkPaths } from '#http/link-paths.ts'
import { openClientLimits } from '#http/middleware/limits.ts'
import { openProviderPages } from '#http/pages.ts'
import { openRenderer } from '#http/render.ts'
import { openHealth } from '#http/routes/health.ts'
import { canSignOut } from '#interaction/upstream-logout.ts'
import { type Background, openBackground } from '#jobs/background.ts'
import { closeInTime } from '#lib/close-in-time.ts'
import { deriveKey } from '#lib/crypto.ts'
import type { Log } from '#lib/log.ts'
import { type Messages, openMessages } from '#lib/messages.ts'
import { day } from '#lib/time.ts'
import { type Tracing, untraced } from '#lib/tracing.ts'
import { type Follower, followKeys } from '#oidc/follow-keys.ts'
import { openLiveProvider } from '#oidc/live-provider.ts'
import { cookieNames, openProvider } from '#oidc/provider.ts'
import { findQuestion } from '#oidc/questions.ts'
import { upstreamOf } from '#oidc/upstream-session.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import { openLetters } from '#outside/letters.ts'
import type { SendMail } from '#outside/mail.ts'
import { openPictures } from '#outside/pictures.ts'
import { openFederationPorts } from './opening/federation.ts'
import { type Foundation, openFoundation } from './opening/foundation.ts'
import { openJoining } from './opening/joining.ts'
import { watchAll } from './opening/measures.ts'
import { guardAll, probedOf } from './opening/upstream-health.ts'

const views = join(import.meta.dirname, '..', 'views')

export type AppPorts = {
  log: Log
  /** Milliseconds since 1970. */
  now?: () => number
  /** Origins that may be called although they are inside our network: the sandbox's. */
  allowOrigins?: string[]
  /** Upstreams in place of config's: the sandbox connects some. */
  connectors?: ConnectorConfig[]
  /** Takes mails in place of the mail server: the sandbox's mailbox. */
  sendMail?: SendMail
  /** Receivers of provisioning events in place of config's: the sandbox is one. */
  provisioning?: Record<string, Receiver>
  tracing?: Tracing
  /** Read before: where one process opens several. */
  messages?: Messages
  /** In place of what a hash usually costs: tests make hundreds of people. */
  passwordCost?: PasswordCost
  /** In place of the seconds an upstream usually has: in tests it shares our two cores. */
  upstreamPatienceMs?: number
}

export type App = {
  house: House
  /** Takes over at once what another process did to the key ring; it is looked at every so often anyway. */
  lookAtKeys(): Promise<void>
  background: Background
  close(): Promise<void>
}

/** Opens everything but the port: files, database, schema, keys. Throws when one of them cannot be had. */
export async function openApp(config: Config, ports: AppPorts): Promise<App> {
  const { log, now = Date.now, tracing = untraced, connectors = config.connectors } = ports
  let background: Background | undefined
  let follower: Follower | undefined
  const foundation = await openFoundation(config, {
    connectors,
    log,
    now,
    tracing,
    queued: () => background?.delivery.nudge(),
    ...(ports.passwordCost ? { passwordCost: ports.passwordCost } : {}),
  })
  try {
    const { store, keys, keyEncryption: kek, keyRules: rules } = foundation
    const house = openHouse(foundation, ports, {
      deliver: () => background?.delivery.nudge(),
      run: async (job) => (await background?.runner.runOnce(job)) ?? false,
      lookAtKeys: async () => follower?.look(),
    })
    background = openBackground({
      ...house,
      kek,
      keyRules: rules,
      random: Math.random,
      provider: () => house.provider,
      sendMail:
        ports.sendMail ??
        (config.mail && (await import('#outside/mail.ts')).openMail(config.mail, now)),
      graceSeconds: config.site.account.grace_days * day,
      imports: openImportWork(house),
      secretReminders: {
        writeLetter: house.writeLetter,
        issuer: config.issuer,
        language: languages[0],
        alerts: config.site.staff.alerts,
      },
      probed: probedOf(connectors, house.upstreams.today, config.site.outbound.allow),
      provisioning: openProvisioning(ports.provisioning ?? config.provisioning),
      verifyAudit: (hooks) =>
        verifyAudit({ auditReads: store.auditReads, key: keys.audit }, {}, hooks),
    })
    const following = followKeys(keys, {
      store,
      kek,
      now,
      rules,
      log,
      onSigningKeys: house.renewProvider,
    })
    follower = following
    return {
      house,
      lookAtKeys: following.look,
      background,
      async close() {
        const closings = [
          ['background', async () => background?.close()],
          ['key ring', following.close],
          ['pictures', house.pictures.close],
        ] as const
        await closeInTime(closings, log, 10_000)
        await foundation.close()
      },
    }
  } catch (error) {
    await foundation.close()
    throw error
  }
}

/** Joins the rooms. Opens nothing. */
function openHouse(
  foundation: Foundation,
  ports: AppPorts,
  background: House['background'],
): House {
  const { config, connectors, store, keys, passwords, metrics, log, now, tracing } = foundation
  const { upstreamHealth } = foundation
  const { issuer, site } = config
  const allow = [...site.outbound.allow, ...(ports.allowOrigins ?? [])]
  const fetch = openGuardedFetch({ allow })
  // Upstreams without TLS are called by their connectors, and by nobody else.
  const toUpstreams = openGuardedFetch({
    allow,
    plain: openPlainAddresses(connectors),
    connectMs: ports.upstreamPatienceMs,
    totalMs: ports.upstreamPatienceMs,
  })
  const { messages = openMessages(join(views, 'messages')) } = ports
  const assets = openAssets(join(views, 'assets'))
  const answer = openAnswer({
    render: openRenderer({ viewsDir: views, messages, assets, site }),
    messages,
    tokenFor: (ctx) => formToken(keys.form, ctx.state.device ?? ''),
  })
  const writeLetter = openLetters({ viewsDir: views, messages, site, issuer })
  const recovery: RecoveryPorts = {
    writeLetter,
    dataKey: keys.data,
    domain: site.local_accounts.domain,
    linkTo: (token) => `${issuer}${linkPaths.reset}/${token}`,
    linkSeconds: site.lifetimes.reset_link_seconds,
  }
  const counters = openCounters({ store, now, key: deriveKey(keys.data, 'counters') })
  const limits = openLimits({ rules: site.limits, counters, metrics, log, now })
  const clientLimits = openClientLimits(limits, now)
  const cookies = cookieNames(issuer)
  const { terms } = config
  const { waitOf } = clientLimits
  const pages = openProviderPages(answer, (session, language) => {
    const upstream = upstreamOf(session)
    if (!canSignOut({ connectors: upstreams }, upstream)) return undefined
    const label = connectors.find(({ id }) => id === upstream.connector)?.label[language]
    return { county: label ?? '', sources: upstreams.get(upstream.connector)?.origins ?? [] }
  })
  const apiScopes = everyPermission.map(scopeOf)
  const registry = site.registration.dynamic ? openRegistry(store, now) : undefined
  const providerPorts = { store, keys, now, fetch, pages, terms, apiScopes, waitOf, registry }
  const provider = openLiveProvider(() => openProvider(issuer, site, providerPorts))
  const judgePassword = openPasswordRules()
  const connectorOf = (id: string) => connectors.find((one) => one.id === id)
  const pictures = openPictures()
  const federation = openFederationPorts({ store, fetch: toUpstreams, now, issuer })
  const opened = watchAll(openConnectors(connectors, federation), metrics, tracing)
  const today = openByDay(guardAll(opened, upstreamHealth, now), connectors, now)
  const upstreams = whenever(today, (id) => upstreamHealth.offSince(id) === undefined)
  const enrolments = openJoining(
    { ...config, connectors },
    {
      store,
      now,
      dataKey: keys.data,
      writeLetter,
      linkUrl: (purpose, token) => `${issuer}${linkPaths[purpose]}/${token}`,
      resetUrl: `${issuer}${linkPaths.reset}`,
      passwords,
      judgePassword,
      counters,
      encodePicture: pictures.encode,
      connectors: upstreams,
    },
  )
  return {
    config: { ...config, connectors },
    store,
    get provider() {
      return provider.current
    },
    renewProvider: provider.renew,
    keys,
    keyEncryption: foundation.keyEncryption,
    trips: {
      store,
      now,
      dataKey: keys.data,
      connectors: upstreams,
      opened,
      findQuestion: (uid) => findQuestion(provider.current, uid),
      ownAddresses: (connector) => ownAddresses(issuer, connector),
      tripSeconds: site.lifetimes.upstream_trip_seconds,
      acr: site.acr.upstream,
      upstreamSessionSeconds: Math.max(
        site.session.absolute_seconds,
        site.session.remembered_seconds,
      ),
      enrolmentOf: enrolments.enrolmentOf,
      linkingOf: (id) => ({
        policy: connectorOf(id)?.linking ?? 'never',
        domain: site.local_accounts.domain,
      }),
      fingerprintOf: openFingerprints(
        deriveKey(keys.data, 'identity fingerprints'),
        (id) => connectorOf(id)?.fingerprint,
      ),
      staff: {
        addresses: site.staff.alerts,
        language: languages[0],
        writeLetter,
        labelOf: (id) => connectorOf(id)?.label[languages[0]] ?? id,
      },
      log,
    },
    enrolments,
    passwords,
    judgePassword,
    pictures,
    limits,
    clientLimits,
    knownDevices: openKnownDevices(cookies.known, deriveKey(keys.data, 'known devices')),
    messages,
    writeLetter,
    recovery,
    schoolYear: openSchoolYear(site.affiliations.school_year_begins, now),
    fetch,
    assets,
    answer,
    log,
    metrics,
    tracing,
    health: openHealth({
      checks: {
        database: async () => {
          await store.ping()
          return true
        },
        migrations: async () => (await store.pendingMigrations()).length === 0,
        keys: async () => keys.signing.length > 0,
      },
      changed: (report) => log.warn(report, 'readiness'),
    }),
    upstreamHealth,
    upstreams: { opened, today },
    examine: async () =>
      (await import('./opening/examining.ts')).examineAll(
        { ...config, connectors },
        { kek: foundation.keyEncryption, now, messages, allow: ports.allowOrigins ?? [] },
      ),
    background,
    now,
    cookies,
  }
}

/** The operator named these addresses, so they may be inside our network; nobody else's calls get there by that. */
function openProvisioning(receivers: Record<string, Receiver>) {
  const allow = Object.values(receivers).flatMap(({ endpoint }) => endpoint?.url ?? [])
  return { receivers, fetch: openGuardedFetch({ allow, totalMs: 10_000 }) }
}
