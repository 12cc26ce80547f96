/** Finds the Chromium the browser tests drive, or installs Debian's. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const places = [
  process.env.CHROMIUM,
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

/** The browser's path. Exits with a sentence when there is none and none can be installed. */
export function ensureChromium(): string {
  const canInstall = existsSync('/usr/bin/apt-get') && process.getuid?.() === 0
  if (canInstall && !(find() && hasCjkFont())) {
    const apt = (...args: string[]) =>
      spawnSync('apt-get', args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      })
    apt('update')
    apt('install', '--yes', '--no-install-recommends', 'chromium', 'fonts-noto-cjk')
  }
  const browser = find()
  if (browser) return browser
  console.error(
    'The browser tests need Chromium: install it (Debian: apt-get install chromium fonts-noto-cjk) or set CHROMIUM to its path.',
  )
  process.exit(1)
}

/** Root needs no sandbox of its own in a container; the rest keeps Chromium from calling home. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
