/** Dashboard and alerts ask for what we really measure, in words Prometheus understands. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import test from 'ava'
import { parse } from 'yaml'
import { openMetrics } from '#lib/metrics.ts'

const deploy = join(import.meta.dirname, '..', '..', 'deploy')

type Panel = { title: string; targets?: { expr: string }[] }
type Dashboard = { panels: Panel[]; templating: { list: { name: string; query: string }[] } }
type Rules = {
  groups: {
    rules: {
      alert: string
      expr: string
      labels: Record<string, string>
      annotations: Record<string, string>
    }[]
  }[]
}

const dashboard: Dashboard = JSON.parse(
  readFileSync(join(deploy, 'grafana', 'citygate.json'), 'utf8'),
)
const rules: Rules = parse(readFileSync(join(deploy, 'prometheus', 'citygate-alerts.yml'), 'utf8'))
const alerts = rules.groups.flatMap((group) => group.rules)

/** Grafana puts these in before Prometheus reads a query. */
const filledIn = (query: string) =>
  query.replaceAll('$__rate_interval', '5m').replaceAll('$job', 'citygate')

const queries = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: `panel ${title}`, query: filledIn(expr) })),
  ),
  ...alerts.map(({ alert, expr }) => ({ where: `alert ${alert}`, query: expr })),
]

type Selector = { metric: string; labels: string[] }

/** What a query selects. Throws where it is no PromQL. */
function selectorsOf(query: string): Selector[] {
  const selectors: Selector[] = []
  parser.parse(query).iterate({
    enter({ type, name, from, to, node }) {
      const text = query.slice(from, to)
      if (type.isError) throw new Error(`not PromQL near ${JSON.stringify(query.slice(from))}`)
      if (name !== 'VectorSelector') return
      const identifier = node.getChild('Identifier')
      if (!identifier) throw new Error(`${text} selects by labels only`)
      const labels = [...text.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(
        (found) => found[1] ?? '',
      )
      selectors.push({ metric: query.slice(identifier.from, identifier.to), labels })
    },
  })
  return selectors
}

/** Every metric there is, with its labels, as a scrape would name it. */
async function measured(): Promise<Map<string, Set<string>>> {
  const metrics = openMetrics(['ntpc'], {
    passwordsWaiting: () => 0,
    pool: () => ({ used: 0, free: 0, waiting: 0 }),
    outbox: async () => ({ waiting: 0, dead: 0 }),
    upstreams: async () => [['ntpc', true]],
    certificates: () => [['ntpc', 1]],
    signingKeyAge: async () => 0,
  })
  metrics.signIn('upstream', 'ntpc', 'finish')
  metrics.upstream('ntpc', 'begin', 1, 'slow')
  metrics.token('refresh_token', 'issued')
  metrics.passwordHash(1)
  metrics.request('token', 'POST', 200, 1)
  metrics.statement('find', 1)
  metrics.rateLimited('token', 'client')
  const names = new Map<string, Set<string>>()
  for (const line of (await metrics.text()).split('\n')) {
    const found = /^([a-z_0-9]+)(?:\{(.*)\})? /.exec(line)
    if (!found?.[1]) continue
    const labels = [...(found[2] ?? '').matchAll(/([a-z_]+)="/g)].map((label) => label[1] ?? '')
    names.set(found[1], new Set([...(names.get(found[1]) ?? []), ...labels]))
  }
  // No garbage was collected yet.
  names.set('nodejs_gc_duration_seconds_sum', new Set(['kind']))
  return names
}

/** Prometheus' own: whether a target answered, and what every series of a target carries. */
const prometheusOwn = new Set(['up'])
const targetLabels = ['job', 'instance']

test('every query of the dashboard and every alert is PromQL over metrics and labels we have', async (t) => {
  const names = await measured()
  t.true(queries.length > 30)
  for (const { where, query } of queries) {
    const selectors = selectorsOf(query)
    t.true(selectors.length > 0, where)
    for (const { metric, labels } of selectors) {
      if (prometheusOwn.has(metric)) continue
      const known = names.get(metric)
      t.truthy(known, `${where}: nobody measures ${metric}`)
      const strange = labels.filter((one) => !known?.has(one) && !targetLabels.includes(one))
      t.deepEqual(strange, [], `${where}: ${metric} has no such label`)
    }
    const grouped = [...query.matchAll(/(?:by|on) \(([^)]*)\)/g)].flatMap((found) =>
      (found[1] ?? '').split(/,\s*/),
    )
    const all = new Set([
      ...targetLabels,
      ...selectors.flatMap(({ metric }) => [...(names.get(metric) ?? [])]),
    ])
    t.deepEqual(
      grouped.filter((label) => !all.has(label)),
      [],
      `${where}: grouped by a label that is not there`,
    )
  }
})

test('every metric of ours is on the dashboard', async (t) => {
  const shown = JSON.stringify(dashboard.panels)
  const ours = [...(await measured()).keys()]
    .filter((name) => name.startsWith('citygate_'))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
  for (const name of new Set(ours)) t.true(shown.includes(name), `${name} is shown nowhere`)
})

test('the check sees a wrong name, a wrong label and broken grammar', async (t) => {
  t.throws(() => selectorsOf('sum(rate(citygate_sign_ins_total[5m])'))
  t.throws(() => selectorsOf('histogram_quantile(0.95, sum by le (x))'))
  t.deepEqual(selectorsOf('a{b="c",d=~"e"} > on (f) g'), [
    { metric: 'a', labels: ['b', 'd'] },
    { metric: 'g', labels: [] },
  ])
})

test('every alert says how bad it is, what happened and what to look at', (t) => {
  t.true(alerts.length >= 10)
  t.is(new Set(alerts.map(({ alert }) => alert)).size, alerts.length)
  for (const { alert, labels, annotations } of alerts) {
    t.regex(alert, /^Citygate[A-Z]/)
    t.true(['warning', 'critical'].includes(labels.severity ?? ''), alert)
    t.truthy(annotations.summary, alert)
    t.truthy(annotations.action, alert)
  }
})

test('panels stand side by side, none over another', (t) => {
  const taken = new Set<string>()
  type Placed = Panel & { id: number; gridPos: { x: number; y: number; w: number; h: number } }
  const placed = dashboard.panels as Placed[]
  t.is(new Set(placed.map(({ id }) => id)).size, placed.length)
  for (const { title, gridPos } of placed) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        t.false(taken.has(`${x},${y}`), `${title} covers another panel`)
        taken.add(`${x},${y}`)
      }
    }
    t.true(gridPos.x + gridPos.w <= 24, title)
  }
})
