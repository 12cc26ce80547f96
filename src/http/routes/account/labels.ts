/** How what her pages list is written in a few words. */
import type { SignIn } from '#account/history.ts'
import type { Language } from '#config/words.ts'
import type { Message } from '#lib/messages.ts'
import type { House } from '../../house.ts'

/** `at` in seconds since 1970. */
export const dateOf = (at: number) => new Date(at * 1000)

/** A moment of an operation's output as a date. */
export const dateIn = (moment: string | undefined): Date | undefined =>
  moment === undefined ? undefined : new Date(moment)

/** An upstream's name; of one that was removed from the configuration, its id. */
export const connectorLabel = (
  { config }: Pick<House, 'config'>,
  language: Language,
  id: string,
): string => config.connectors.find((one) => one.id === id)?.label[language] ?? id

/** By which way somebody came in. */
export const wayOf = (
  house: Pick<House, 'config'>,
  language: Language,
  { way, connector = '' }: Pick<SignIn, 'way' | 'connector'>,
): Message =>
  way === 'password'
    ? 'account.way.password'
    : {
        key: 'account.way.upstream',
        params: { county: connectorLabel(house, language, connector) },
      }
