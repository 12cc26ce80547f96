/** What takes longest begins first: at the end nothing waits for one file. */
const long = [
  'views/accessibility',
  'browser/joining',
  'security/role-table',
  'browser/account-pages',
  'stories/workers',
]
const rank = (file) => {
  const place = long.findIndex((name) => file.endsWith(`${name}.test.ts`))
  return place < 0 ? long.length : place
}

export default {
  files: ['test/**/*.test.ts'],
  extensions: { ts: 'module' },
  workerThreads: false,
  timeout: '5m',
  concurrency: 2,
  sortTestFiles: (a, b) => rank(a) - rank(b) || a.localeCompare(b),
}
