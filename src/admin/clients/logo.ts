/** An app's picture: sent in by staff, encoded anew, kept by us. What an app's own address shows is never fetched. */
import { sha256 } from '#lib/crypto.ts'
import type { ClientRow } from '#store/store.ts'
import { type Acting, done, type Outcome, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { changedMeanwhile, changing, keepChange } from './changes.ts'

type Ports = Pick<AdminPorts, 'store' | 'provider' | 'pictures'>

const refusals = {
  'not-a-picture': 'must be a JPEG, PNG or WebP picture',
  'too-large': 'is too large: at most 5 MB and 40 megapixels',
  broken: 'cannot be read',
} as const

/** `image`: base64. `logo` of the answer is the SHA-256 its address has. */
export async function putLogo(
  ports: Ports,
  by: Acting,
  { id, image }: { id: string; image: string },
): Promise<Outcome<{ id: string; logo: string }>> {
  const encoded = await ports.pictures.encode(Buffer.from(image, 'base64'))
  if (encoded.kind === 'refused') {
    return rejected('image', refusals[encoded.why], `app-logo-${encoded.why}`)
  }
  const { type, bytes } = encoded
  const logo = sha256(bytes.toString('base64'))
  return changing(ports, by, id, async (tables, row) => {
    const metadata = { ...row.metadata, logo }
    const kept = await keepChange(tables, row, { ...row, metadata }, by, { because: 'logo' })
    if (!kept) return changedMeanwhile
    await tables.clientLogos.put({ clientId: id, type, bytes, updatedAt: by.at })
    return done({ id, logo })
  })
}

/** `unknown` also where it has none. */
export async function removeLogo(
  ports: Ports,
  by: Acting,
  id: string,
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    const { logo, ...metadata } = row.metadata
    if (logo === undefined) return { kind: 'unknown' }
    const next: ClientRow = { ...row, metadata }
    if (!(await keepChange(tables, row, next, by, { because: 'logo-remove' }))) {
      return changedMeanwhile
    }
    await tables.clientLogos.remove(id)
    return done({ id })
  })
}
