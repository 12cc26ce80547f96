/** The machine we run on, and the mail server. */
import { access, constants, statfs } from 'node:fs/promises'
import { type Clock, codeOf, type Finding, fail, ok, warn } from './finding.ts'
import { type Said, said, trouble } from './sayings.ts'

const [scarce, gone] = [1024 ** 3, 100 * 1024 ** 2]

/** Whether the data folder can be written to, and how much room is left. */
export async function checkDisk(folder: string): Promise<Finding> {
  const check = said('check.disk')
  try {
    await access(folder, constants.W_OK)
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    const size = (free / 1024 ** 3).toFixed(1)
    if (free >= scarce) return ok(check, said('disk.free', { size, folder }))
    return (free < gone ? fail : warn)(check, trouble('disk.low', { size, folder }))
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? warn(check, trouble('disk.none', { folder }))
      : fail(check, trouble('disk.read-only', { folder }))
  }
}

export type MailPorts = {
  /** What is wrong, if anything, in English; absent where no mail server is set. */
  tryServer: (() => Promise<string | undefined>) | undefined
  /** What that sentence is in other languages as well, where it is ours. */
  keyOf(why: string): Said | undefined
}

export async function checkMail({ tryServer, keyOf }: MailPorts): Promise<Finding> {
  const check = said('check.mail')
  if (!tryServer) return warn(check, trouble('mail.none'))
  const why = await tryServer()
  if (!why) return ok(check, said('mail.greets'))
  return fail(check, {
    says: keyOf(why) ?? said('mail.fails', { said: why }),
    mend: said('mail.mend'),
  })
}

/** The most a clock may be off before tokens are refused somewhere: milliseconds. */
const tolerable = 30_000

/** Our clock beside all others that were seen. */
export function checkClocks(clocks: Clock[]): Finding {
  const check = said('check.clock')
  if (clocks.length === 0) return warn(check, trouble('clock.unseen'))
  const off = clocks.filter(({ ahead }) => Math.abs(ahead) > tolerable)
  if (off.length === 0) {
    const count = new Set(clocks.map(({ whose, host }) => `${whose} ${host}`)).size
    return ok(check, count === 1 ? said('clock.agrees-one') : said('clock.agrees', { count }))
  }
  // One that was asked twice is told of once.
  const says = new Map(off.map(sayOff).map((one) => [JSON.stringify(one), one]))
  return warn(check, { says: [...says.values()], mend: said('clock.mend') })
}

function sayOff({ whose, host = '', ahead }: Clock): Said {
  const seconds = Math.round(Math.abs(ahead) / 1000)
  return said(`clock.${whose}-${ahead > 0 ? 'ahead' : 'behind'}`, { host, seconds })
}
