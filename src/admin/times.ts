/** Moments as they leave us: ISO 8601, UTC. */
import { z } from 'zod'

export const time = z.string().meta({ format: 'date-time' })
