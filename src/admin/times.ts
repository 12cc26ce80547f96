/** Moments as they leave us: ISO 8601, UTC. */
import { z } from 'zod'

export const isoTime = (at: number): string => new Date(at * 1000).toISOString()

export const time = z.string().meta({ format: 'date-time' })
