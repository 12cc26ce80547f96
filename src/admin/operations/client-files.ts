/** Apps as code: all of them as one file, and one file made all of them. */
import { z } from 'zod'
import { apply } from '../apply/apply.ts'
import { longestFile, writeClientFile } from '../apply/file.ts'
import { difference } from '../clients/versions.ts'
import { done, type Operation, operation } from '../operation.ts'

export const exportClients = operation({
  id: 'clients.export',
  summary: 'Writes apps as YAML: all within reach, or those named; never a secret.',
  permission: 'clients.read',
  method: 'GET',
  path: '/client-files',
  input: z.strictObject({
    /** Ids, comma separated. */
    ids: z.string().max(20_000).optional(),
  }),
  output: z.object({ yaml: z.string(), count: z.number() }),
  async run({ store, config }, { reach }, { ids }) {
    const wanted = ids === undefined ? undefined : new Set(ids.split(',').map((id) => id.trim()))
    const hers =
      reach.kind === 'all'
        ? undefined
        : new Set(await store.clientOwners.clientsOf(reach.appsOf ?? ''))
    const rows = (await store.clients.list()).filter(
      ({ id }) => (wanted?.has(id) ?? true) && (hers?.has(id) ?? true),
    )
    if (wanted && rows.length < wanted.size) return { kind: 'unknown' }
    const yaml = writeClientFile(rows, config.site.resources)
    return done({ yaml, count: rows.length })
  },
})

export const applyClients = operation({
  id: 'clients.apply',
  summary:
    'Makes apps equal to a file, all of them or none; with dryRun it only says what would change.',
  permission: 'clients.write',
  dangerous: true,
  method: 'POST',
  path: '/client-files',
  bodyBytes: 2_000_000,
  input: z.strictObject({
    /** YAML, or JSON, which is YAML too. */
    yaml: z.string().max(longestFile),
    dryRun: z.boolean().default(false),
    /** Remove apps the file does not name; those that registered themselves stay. */
    prune: z.boolean().default(false),
    /** Of a dry run: where something else would change by now, nothing does. */
    digest: z.string().max(100).optional(),
  }),
  output: z.object({
    applied: z.boolean(),
    digest: z.string(),
    items: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        what: z.enum(['create', 'change', 'same', 'remove']),
        differences: z.array(difference),
        /** Of an app that has just got one; in this answer and nowhere else. */
        secret: z.string().optional(),
      }),
    ),
  }),
  run: apply,
})

export const clientFilesOperations: readonly Operation[] = [exportClients, applyClients]
