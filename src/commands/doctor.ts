/** `citygate doctor`: what is wrong, what it means, and how to mend it. */
import type { Command } from 'commander'
import type { Told } from '#admin/doctor/in-english.ts'
import { ConfigError } from '#errors.ts'
import { exits, print, Stop } from './tools.ts'

/** What is said of the configuration is said here only: a server that runs has one. */
type Line = Omit<Told, 'keys'> & Partial<Told>

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look at configuration, database, keys, clock, address, mail, disk and upstreams')
    .option('--json', 'print as JSON')
    .action(async ({ json }) => {
      const { findings, unchecked } = await examineHouse()
      if (json) print(JSON.stringify({ findings, unchecked }, null, 2))
      else {
        for (const finding of findings) print(describe(finding))
        for (const what of unchecked) print(`not checked: ${what}`)
      }
      const failed = findings.filter(({ state }) => state === 'fail')
      if (failed.length === 0) return
      const ours = failed.some(
        ({ check, keys }) => check === 'configuration' || keys?.check.key === 'doctor.check.keys',
      )
      throw new Stop(
        ours ? exits.config : exits.unavailable,
        `not well: ${failed.map(({ check }) => check).join(', ')}`,
      )
    })
}

async function examineHouse(): Promise<{ findings: Line[]; unchecked: string[] }> {
  const [{ loadConfig }, { examineAll }, { findKeyEncryption }, { openWords }] = await Promise.all([
    import('#config/load.ts'),
    import('../opening/examining.ts'),
    import('../opening/key-file.ts'),
    import('./words.ts'),
  ])
  try {
    const config = loadConfig(process.env)
    const kek = findKeyEncryption(config)
    const { findings, unchecked } = await examineAll(config, {
      kek,
      now: Date.now,
      messages: openWords(),
    })
    const says = `${config.site.id}, ${config.connectors.length} connectors`
    return { findings: [{ check: 'configuration', state: 'ok', says }, ...findings], unchecked }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const mend = 'see the files and variables named, then `citygate config check`'
    const finding: Line = { check: 'configuration', state: 'fail', says: error.message, mend }
    return { findings: [finding], unchecked: ['anything else: mend the configuration first'] }
  }
}

const describe = ({ check, state, says, mend }: Line) =>
  `${state.padEnd(4)}  ${check}: ${says}${mend ? `\n      mend: ${mend}` : ''}`
