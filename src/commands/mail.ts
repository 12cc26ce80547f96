/** `citygate mail test`: whether mails leave the house. */
import type { Command } from 'commander'
import { isMailAddress } from '#lib/mail.ts'
import { exits, inApp, print, Stop } from './tools.ts'

export function addMailCommands(program: Command): void {
  program
    .command('mail')
    .description('mails to people')
    .command('test')
    .description('send a mail, and say what the mail server answered')
    .argument('<address>')
    .action(async (address) => {
      if (!isMailAddress(address)) {
        throw new Stop(exits.rejected, `${address} is no mail address`)
      }
      const { sendTestMail } = await import('#jobs/test-mail.ts')
      const outcome = await inApp(({ house: { config, store, now }, background: { delivery } }) => {
        if (config.mail) return sendTestMail({ store, delivery, now }, address, config.issuer)
        throw new Stop(
          exits.config,
          'there is no mail server: set SMTP_URL (smtps://user:password@host) and MAIL_FROM',
        )
      })
      const said = outcome.answer ? `: ${outcome.answer}` : ''
      if (outcome.kind === 'delivered') print(`the mail server took it${said}`)
      else {
        const why = `${outcome.why}${said}`
        throw new Stop(exits.unavailable, `not sent, and not tried again: ${why}`)
      }
    })
}
