/** `citygate enrolment …`: the ways to join, and walking one before anybody else does. */
import { type Command, Option } from 'commander'
import { exits, print, Stop } from './tools.ts'

export function addEnrolmentCommands(program: Command): void {
  const enrolment = program.command('enrolment').description('the ways to join')

  enrolment
    .command('list')
    .description('every way to join, who may begin it and its steps')
    .action(async () => {
      const { loadConfig } = await import('#config/load.ts')
      for (const { id, title, entry, steps } of loadConfig(process.env).enrolments) {
        const types = steps.map((step) => `${step.id}${step.when ? '?' : ''}`)
        print(`${id}  ${title['zh-TW']} ${title.en}  for ${Object.keys(entry).join(', ')}`)
        print(`  ${types.join(' → ')}`)
      }
    })

  enrolment
    .command('try')
    .description(
      'walk one here: nothing is kept, nothing is sent; letters are printed, upstreams are pretended',
    )
    .argument('<id>')
    .option('--answers <file>', 'YAML with answers by step and field, for a check')
    .option('--as <json>', 'who a county says she is: {"name": "王小明", "role": "teacher"}')
    .addOption(
      new Option('--door <door>', 'by which door (default: the first it has)').choices([
        'visitor',
        'identity',
        'member',
      ]),
    )
    .option('--connector <id>', 'from where, by the door for identities')
    .addOption(
      new Option('--language <language>', 'of its pages').choices(['zh-TW', 'en']).default('en'),
    )
    .addHelpText(
      'after',
      `
Answers come from the terminal, from a pipe (one a line, in order) or from --answers. From the last two a refused answer
ends it with exit code ${exits.rejected}, and so does an end without an account.`,
    )
    .action(async (id, options) => {
      const { loadConfig } = await import('#config/load.ts')
      const config = loadConfig(process.env)
      const rules = config.enrolments.find((one) => one.id === id)
      if (!rules) {
        const known = config.enrolments.map((one) => one.id).join(', ') || 'none'
        throw new Stop(exits.unknown, `there is no enrolment ${id}; there are: ${known}`)
      }
      const { tryOut } = await import('./trying/try-out.ts')
      await tryOut(config, rules, options)
    })
}
