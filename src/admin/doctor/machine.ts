/** The machine we run on, and the mail server. */
import { access, constants, statfs } from 'node:fs/promises'
import { type Clock, codeOf, type Finding, fail, ok, warn } from './finding.ts'

const [scarce, gone] = [1024 ** 3, 100 * 1024 ** 2]

/** Whether the data folder can be written to, and how much room is left. */
export async function checkDisk(dataDir: string): Promise<Finding> {
  try {
    await access(dataDir, constants.W_OK)
    const { bavail, bsize } = await statfs(dataDir)
    const free = bavail * bsize
    const says = `${(free / 1024 ** 3).toFixed(1)} GB are free in ${dataDir}`
    const mend = 'free some space, or move DATA_DIR to a larger disk'
    if (free < gone) return fail('disk', says, mend)
    return free < scarce ? warn('disk', says, mend) : ok('disk', says)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return warn('disk', `${dataDir} is not there yet`, 'the first start makes it; check DATA_DIR')
    }
    return fail('disk', `${dataDir} cannot be written to`, 'give it to the user the server runs as')
  }
}

/** `tryServer` gives what is wrong, if anything; absent where no mail server is set. */
export async function checkMail(
  tryServer: (() => Promise<string | undefined>) | undefined,
): Promise<Finding> {
  if (!tryServer) {
    const mend = 'set SMTP_URL and MAIL_FROM when people are to get mails'
    return warn('mail', 'there is no mail server: mails wait in the outbox', mend)
  }
  const wrong = await tryServer()
  if (!wrong) return ok('mail', 'the mail server greets us')
  return fail('mail', wrong, 'check SMTP_URL; `citygate mail test ADDRESS` sends one')
}

/** The most a clock may be off before tokens are refused somewhere: milliseconds. */
const tolerable = 30_000

/** Our clock beside all others that were seen. */
export function checkClocks(clocks: Clock[]): Finding {
  if (clocks.length === 0) {
    return warn('clock', 'nobody answered whose clock could be compared', 'mend what is said above')
  }
  const off = clocks.filter(({ ahead }) => Math.abs(ahead) > tolerable)
  if (off.length === 0) {
    const whose = new Set(clocks.map((one) => one.whose)).size
    return ok('clock', `agrees with ${whose} ${whose === 1 ? 'other' : 'others'}`)
  }
  const words = off.map(({ whose, ahead }) => {
    const seconds = Math.round(Math.abs(ahead) / 1000)
    return `${whose} is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} us`
  })
  const mend =
    'let this machine keep time by NTP (timedatectl set-ntp true); is one alone off, tell them'
  return warn('clock', [...new Set(words)].join('; '), mend)
}
