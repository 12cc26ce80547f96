/** `citygate serve`, `migrate`, `config check`: the program itself. */
import type { Command } from 'commander'
import { print } from './tools.ts'

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

  program
    .command('config')
    .description('the deployment’s rules')
    .command('check')
    .description('read every file and the environment, and list every problem')
    .action(async () => {
      const { loadConfig } = await import('#config/load.ts')
      const { site, connectors } = loadConfig(process.env)
      const connected = connectors.filter((one) => one.credentials).length
      print(`${site.id}: ${connectors.length} connectors, ${connected} with credentials: all good`)
    })
}
