/** `citygate serve`, `migrate`, `config …`: the program itself. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { exits, print, Stop } from './tools.ts'

/** Beside every site's folder: files in these name it in their first line. */
const schemaFolder = join('config', 'schema')

export function addSystemCommands(program: Command): void {
  program
    .command('serve')
    .description('run the identity provider (outside production with its sandbox)')
    .action(async () => {
      const { serve } = await import('../serve.ts')
      await serve(process.env)
    })

  program
    .command('migrate')
    .description('bring the database schema up to date')
    .action(async () => {
      const [{ loadConfig }, { openStore }] = await Promise.all([
        import('#config/load.ts'),
        import('#store/store.ts'),
      ])
      const store = openStore(loadConfig(process.env).database)
      try {
        const names = await store.migrate()
        print(names.length > 0 ? names.map((name) => `ran ${name}`).join('\n') : 'nothing to do')
      } finally {
        await store.close()
      }
    })

  const config = program.command('config').description('the deployment’s rules')

  config
    .command('check')
    .description('read every file and the environment, and list every problem')
    .action(async () => {
      const { loadConfig } = await import('#config/load.ts')
      const { site, connectors, enrolments } = loadConfig(process.env)
      const connected = connectors.filter((one) => one.credentials).length
      const joining = enrolments.map(({ id }) => id).join(', ') || 'none'
      print(
        `${site.id}: ${connectors.length} connectors, ${connected} connected; ways to join: ${joining}: all good`,
      )
    })

  config
    .command('schema')
    .description('print the JSON Schema of site.yaml, a connector or an enrolment, for editors')
    .argument('[kind]', 'site, connector or enrolment')
    .option('--write', `write all of them to ${schemaFolder}/<kind>.schema.json`)
    .action(async (wanted, { write }) => {
      const { jsonSchemaText, kindsOfFile } = await import('#config/json-schema.ts')
      const kind = kindsOfFile.find((one) => one === wanted)
      if (wanted !== undefined && !kind) {
        throw new Stop(exits.usage, `${wanted} is none of ${kindsOfFile.join(', ')}`)
      }
      if (!kind && !write) {
        throw new Stop(exits.usage, `say which, ${kindsOfFile.join(', ')}, or --write`)
      }
      if (kind) process.stdout.write(jsonSchemaText(kind))
      if (!write) return
      mkdirSync(schemaFolder, { recursive: true })
      for (const one of kindsOfFile) {
        writeFileSync(join(schemaFolder, `${one}.schema.json`), jsonSchemaText(one))
      }
    })
}
