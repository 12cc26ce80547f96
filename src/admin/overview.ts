/** The tasks that wait on the overview page, as far as whoever looks may do or see them. */
import { day } from '#lib/time.ts'
import { lastCheck } from './audit-check.ts'
import type { AdminPorts } from './ports.ts'
import { type By, type Permission, type Reach, reachesUpstream, reachOf } from './staff.ts'
import { signInStatistics } from './statistics.ts'
import { jobStates } from './system.ts'

/** `kind` names its words and the page it leads to. */
export type Task = {
  kind: TaskKind
  count: number
  /** What it is about, where that is one thing. */
  name?: string
}

const taskKinds = [
  'audit-broken',
  'upstreams-down',
  'logins-stopped',
  'requests',
  'secrets-ended',
  'secrets-ending',
  'messages-dead',
  'imports-failed',
  'imports-checked',
  'upstreams-off',
  'certificates-ending',
  'answers-unread',
  'jobs-failed',
  'applications',
] as const
export type TaskKind = (typeof taskKinds)[number]

type Looking = { ports: AdminPorts; reach: Reach; at: number; language: string }
type Found = Partial<Record<TaskKind, { count: number; name?: string }>>

/** By the permission each needs: what she may not see is not even counted. One cheap statement each. */
const looks: { permission: Permission; look(on: Looking): Promise<Found> }[] = [
  {
    permission: 'requests.decide',
    look: async ({ ports }) => ({
      requests: { count: await ports.store.clientRequests.countWaiting() },
    }),
  },
  {
    permission: 'outbox.read',
    look: async ({ ports }) => ({
      'messages-dead': { count: (await ports.store.outbox.counts()).dead },
    }),
  },
  { permission: 'upstreams.read', look: async (on) => lookAtUpstreams(on) },
  { permission: 'clients.read', look: lookAtSecrets },
  { permission: 'people.read', look: lookAtPeople },
  {
    permission: 'people.import',
    async look({ ports }) {
      const { failed = 0, stopped = 0, checked = 0 } = await ports.store.attention.imports()
      return {
        'imports-failed': { count: failed + stopped },
        'imports-checked': { count: checked },
      }
    },
  },
  {
    permission: 'audit.read',
    async look({ ports, at }) {
      return { 'audit-broken': { count: (await lastCheck(ports.store, at))?.broken ?? 0 } }
    },
  },
  {
    permission: 'system.read',
    async look({ ports, at }) {
      const jobs = await jobStates(ports.store, at)
      const failed = jobs.filter(({ outcome }) => outcome === 'failed')
      return {
        'jobs-failed': { count: failed.length, ...nameOfOne(failed.map((one) => one.job)) },
      }
    },
  },
]

const nameOfOne = (names: string[]) => {
  const [name, ...others] = names
  return name === undefined || others.length > 0 ? {} : { name }
}

function lookAtUpstreams({ ports, reach, at, language }: Looking): Found {
  const { config, upstreamHealth } = ports
  const hers = config.connectors.filter(
    ({ id, credentials }) => credentials && reachesUpstream(reach, id),
  )
  const counted = (holds: (id: string) => boolean) => {
    const those = hers.filter(({ id }) => holds(id))
    const names = those.map(({ id, label }) => (label as Record<string, string>)[language] ?? id)
    return { count: those.length, ...nameOfOne(names) }
  }
  const isOff = (id: string) => upstreamHealth.offSince(id) !== undefined
  return {
    'upstreams-down': counted((id) => !isOff(id) && upstreamHealth.isDown(id)),
    'upstreams-off': counted(isOff),
    'certificates-ending': counted(
      (id) => (upstreamHealth.find(id)?.certificateExpiresAt ?? Infinity) < at + 30 * day,
    ),
  }
}

async function lookAtSecrets({ ports, reach, at }: Looking): Promise<Found> {
  const appsOf = reach.kind === 'some' ? reach.appsOf : undefined
  if (reach.kind === 'some' && appsOf === undefined) return {}
  const secrets = await ports.store.attention.endingSecrets(at + 30 * day, 100, appsOf)
  const [ended, ending] = [
    secrets.filter(({ endsAt }) => endsAt <= at),
    secrets.filter(({ endsAt }) => endsAt > at),
  ]
  return {
    'secrets-ended': { count: ended.length, ...nameOfOne(ended.map(({ name }) => name)) },
    'secrets-ending': { count: ending.length, ...nameOfOne(ending.map(({ name }) => name)) },
  }
}

async function lookAtPeople({ ports, reach, at }: Looking): Promise<Found> {
  const { attention } = ports.store
  const [stopped, unread, waiting] = await Promise.all([
    attention.stoppedLogins(at - 30 * day),
    attention.unreadIdentities(),
    // An application is no county's.
    reach.kind === 'all' ? attention.waitingApplications(at) : 0,
  ])
  return {
    'logins-stopped': {
      count: stopped.filter(({ connector }) => reachesUpstream(reach, connector)).length,
    },
    'answers-unread': {
      count: unread
        .filter(({ connector }) => reachesUpstream(reach, connector))
        .reduce((all, { count }) => all + count, 0),
    },
    applications: { count: waiting },
  }
}

/** The most pressing first. */
export async function tasksOf(ports: AdminPorts, by: By, at: number): Promise<Task[]> {
  const found = await Promise.all(
    looks.map(async ({ permission, look }) => {
      const reach = reachOf(by, permission)
      return reach ? look({ ports, reach, at, language: by.language }) : {}
    }),
  )
  const all: Found = Object.assign({}, ...found)
  return taskKinds.flatMap((kind) => {
    const one = all[kind]
    return one && one.count > 0 ? [{ kind, ...one }] : []
  })
}

const firstSteps = ['app', 'colleague', 'mail', 'county'] as const
export type FirstStep = { step: (typeof firstSteps)[number]; done: boolean }

/** What to do first on a new system; nothing once it is in use. */
export async function firstStepsOf(ports: AdminPorts, by: By, at: number): Promise<FirstStep[]> {
  if (reachOf(by, 'staff.write')?.kind !== 'all') return []
  const { config, store } = ports
  const { clients, staff, invitations } = await store.attention.sizes(at)
  // The sandbox registers two apps of its own at the first start.
  const apps = clients - (config.sandbox ? 2 : 0)
  const steps: FirstStep[] = [
    { step: 'app', done: apps > 0 },
    { step: 'colleague', done: staff > 1 || invitations > 0 },
    { step: 'mail', done: config.mail !== undefined || config.sandbox !== undefined },
    { step: 'county', done: config.connectors.some(({ credentials }) => credentials) },
  ]
  // A site may live without counties; without apps, colleagues or mails none does.
  return steps.some(({ step, done }) => !done && step !== 'county') ? steps : []
}

/** Sign-ins of the last month, as far as she may know. */
export async function recentSignIns(ports: AdminPorts, by: By, at: number) {
  const reach = reachOf(by, 'statistics.read')
  if (!reach) return undefined
  const { days, all } = await signInStatistics(ports.store, reach, { days: 30 }, at)
  return { days, all }
}
