/** Installs the stock clients that Debian packages, so that a fresh machine tests against the real ones. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the tests in interop/ and deploy/ drive. `apache2-bin` is the server without the service that Debian would start. */
export const peerPackages = {
  authlib: ['python3-authlib', 'python3-flask', 'python3-requests'],
  mod_auth_openidc: ['apache2-bin', 'libapache2-mod-auth-openidc'],
  pythonOpenid: ['python3-openid'],
  simplesamlphp: ['simplesamlphp', 'php-cli', 'php-xml', 'php-mbstring', 'php-curl', 'php-sqlite3'],
  nginx: ['nginx', 'openssl'],
  systemd: ['systemd'],
  // What OpenLDAP's server stands on, which is unpacked only as well, and its client programs.
  slapd: ['ldap-utils', 'libldap-2.5-0', 'libltdl7', 'libwrap0'],
  // What glewlwyd stands on: its own package would set up a database and start a service, and is unpacked only.
  glewlwyd: [
    'glewlwyd-common',
    'sqlite3',
    'libcbor0.8',
    'libconfig9',
    'libhoel1.4',
    'libiddawc1.1',
    'libldap-2.5-0',
    'liboath0',
    'liborcania2.3',
    'librhonabwy1.1',
    'libulfius2.7',
    'libyder2.0',
  ],
} as const

const isInstalled = (name: string) =>
  spawnSync('dpkg', ['--status', name], { encoding: 'utf8' }).stdout?.includes(
    'Status: install ok installed',
  ) === true

// Two test files are two processes: the second waits for the first and finds its work done.
const install = `
dpkg --status "$@" >/dev/null 2>&1 && exit
apt-get update -qq
apt-get install --yes -qq --no-install-recommends "$@"`

/** Resolves when every package is installed. Rejects with a sentence where they cannot be. */
export async function ensurePackages(names: readonly string[]): Promise<void> {
  const missing = () => names.filter((name) => !isInstalled(name))
  if (missing().length === 0) return
  let said = ''
  if (existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    const lock = join(tmpdir(), 'citygate-apt.lock')
    const apt = spawn('flock', [lock, 'sh', '-c', install, 'sh', ...names], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    apt.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await new Promise((resolve) => apt.on('close', resolve).on('error', resolve))
  }
  const still = missing()
  if (still.length > 0) {
    throw new Error(
      `This test needs the Debian packages ${still.join(', ')}: install them as root (apt-get install ${still.join(' ')}). ${said}`,
    )
  }
}

/** Unpacks a package into the folder and sets nothing up: no service, no user. Rejects with a sentence. */
export async function unpackPackage(name: string, folder: string): Promise<void> {
  const script = 'cd "$1" && apt-get download -qq "$2" && dpkg-deb --extract "$2"_*.deb .'
  const apt = spawn('sh', ['-c', script, 'sh', folder, name], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  apt.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const code = await new Promise((resolve) => apt.on('close', resolve).on('error', resolve))
  if (code !== 0) throw new Error(`The Debian package ${name} cannot be had: ${said}`)
}
