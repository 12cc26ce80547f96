/** The schema of a moment in an operation's output: ISO 8601, UTC, as `isoTime` writes it. */
import { z } from 'zod'

export const time = z.string().meta({ format: 'date-time' })
