/** The words people read, for commands that say some of them in English. */
import { join } from 'node:path'
import { type Messages, openMessages } from '#lib/messages.ts'

const folder = join(import.meta.dirname, '..', '..', 'views', 'messages')

export const openWords = (): Messages => openMessages(folder)
