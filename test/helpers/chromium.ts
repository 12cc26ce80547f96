/** Finds the Chromium the browser tests drive, or installs Debian's. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Chromium without its windows, menus and services: the same pages for half the work. */
const shell = '/usr/bin/chromium-headless-shell'

const places = [
  process.env.CHROMIUM,
  shell,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const find = () => places.find((place) => place && existsSync(place))

const hasCjkFont = () => {
  const asked = spawnSync('fc-list', [':lang=zh-tw'], { encoding: 'utf8' })
  // Without fontconfig there is no telling, and nothing to install it for.
  return asked.error !== undefined || asked.stdout.trim() !== ''
}

/** Installs what is missing, where that can be done. */
export function installChromium(): void {
  const canInstall = existsSync('/usr/bin/apt-get') && process.getuid?.() === 0
  if (!canInstall || ((process.env.CHROMIUM || existsSync(shell)) && hasCjkFont())) return
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  const install = (...packages: string[]) =>
    apt('install', '--yes', '--no-install-recommends', ...packages)
  apt('update')
  install('chromium-headless-shell', 'fonts-noto-cjk')
  if (!find()) install('chromium', 'fonts-noto-cjk')
}

/** The browser's path. Exits with a sentence when there is none. */
export function findChromium(): string {
  const browser = find()
  if (browser) return browser
  console.error(
    'The browser tests need Chromium: install it (Debian: apt-get install chromium-headless-shell fonts-noto-cjk) or set CHROMIUM to its path.',
  )
  process.exit(1)
}

/** Root needs no sandbox of its own in a container; the rest keeps Chromium from calling home, or anybody but us. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Between two keys nothing is still gliding.
  '--disable-smooth-scrolling',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
]
