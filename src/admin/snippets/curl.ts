/** A machine's request by hand: what any library sends. */
import { keyNote, lines, type Snippet, secretPlaceholder } from './snippet.ts'

/** For a shell: in single quotes nothing means more than it says. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

export const curl: Snippet = {
  id: 'curl',
  title: 'curl',
  kinds: ['machine'],
  blocks: ({ issuer, clientId, authMethod, resource, scopes }) => {
    const parts = [
      `curl ${quoted(`${issuer}/token`)}`,
      authMethod === 'client_secret_basic' &&
        `--user ${quoted(`${clientId}:${secretPlaceholder}`)}`,
      authMethod === 'client_secret_post' && `--data-urlencode ${quoted(`client_id=${clientId}`)}`,
      authMethod === 'client_secret_post' &&
        `--data-urlencode ${quoted(`client_secret=${secretPlaceholder}`)}`,
      authMethod === 'private_key_jwt' &&
        '--data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      authMethod === 'private_key_jwt' &&
        `--data-urlencode ${quoted('client_assertion=<a JWT signed with your key>')}`,
      '--data-urlencode grant_type=client_credentials',
      resource && `--data-urlencode ${quoted(`resource=${resource.id}`)}`,
      `--data-urlencode ${quoted(`scope=${resource?.scope ?? scopes.join(' ')}`)}`,
    ].filter((part) => typeof part === 'string')
    return [{ file: 'sh', text: lines(parts.join(' \\\n  ')) }]
  },
  notes: keyNote,
}
