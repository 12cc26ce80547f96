#!/usr/bin/env node
/**
 * The command line: one file per command in commands/. Entered through bin/citygate.js; npx keeps the link to the entry
 * it saw first, so that whoever ran 0.1.0 from here still enters by this file.
 */
import { Command, CommanderError } from 'commander'
import { addAdminCommands } from './commands/admin.ts'
import { addApiCommands } from './commands/api.ts'
import { addAuditCommands } from './commands/audit.ts'
import { addBackupCommands } from './commands/backup.ts'
import { addClientCommands } from './commands/client.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEnrolmentCommands } from './commands/enrolment.ts'
import { addIdentityCommands } from './commands/identity.ts'
import { addKeyCommands } from './commands/key.ts'
import { addMailCommands } from './commands/mail.ts'
import { addMergeCommands } from './commands/merge.ts'
import { addOutboxCommands } from './commands/outbox.ts'
import { addRegistrationCommands } from './commands/registration.ts'
import { addStatisticsCommand } from './commands/statistics.ts'
import { addSystemCommands } from './commands/system.ts'
import { exits } from './commands/tools.ts'
import { addUpstreamCommands } from './commands/upstream.ts'
import { addUserCommands } from './commands/user.ts'
import { addUserImportCommands } from './commands/user-import.ts'

// `citygate client list | head` closes the pipe early: nothing is wrong with that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const program = new Command('citygate')
  .description('Citygate 城門: an OpenID Connect identity provider with federated login')
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Rules come from the folder CITYGATE_CONFIG (config/educloud), data goes to DATA_DIR (data).
Exit codes: 0 done, ${exits.usage} wrong call, ${exits.rejected} input rejected, ${exits.unknown} no such thing, ${exits.unavailable} port, database or place for a file not available, ${exits.config} invalid configuration, 1 anything else.`,
  )

for (const add of [
  addSystemCommands,
  addAdminCommands,
  addClientCommands,
  addRegistrationCommands,
  addUserCommands,
  addUserImportCommands,
  addMergeCommands,
  addEnrolmentCommands,
  addIdentityCommands,
  addKeyCommands,
  addMailCommands,
  addUpstreamCommands,
  addOutboxCommands,
  addAuditCommands,
  addStatisticsCommand,
  addApiCommands,
  addBackupCommands,
  addDoctorCommand,
])
  add(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exits.usage
  } else {
    // Read only then: a start in order has no use for it.
    const { describeFailure } = await import('./commands/failure.ts')
    const { exit, message } = describeFailure(error)
    process.stderr.write(`citygate: ${message}\n`)
    process.exitCode = exit
  }
}
