/** Whom `provisioning` in site.yaml tells of what happens here, with what the environment says about them. */
import { readWebhookSecret } from '#lib/webhook.ts'
import type { Receiver, SiteFile } from './schema.ts'

/** Complains about variables that are half set, or cannot be. */
export function readReceivers(
  provisioning: SiteFile['provisioning'],
  env: NodeJS.ProcessEnv,
  complain: (variable: string, message: string) => void,
): Record<string, Receiver> {
  const read = ({ url_env, secret_env }: SiteFile['provisioning'][string]): Receiver => {
    const [address, text] = [env[url_env], env[secret_env]]
    const receiver = { urlVariable: url_env }
    if (!address && !text) return receiver
    const url = address && readAddress(address)
    const secret = text && readWebhookSecret(text)
    if (!address) complain(url_env, `must be set beside ${secret_env}`)
    else if (!url) {
      complain(url_env, 'must be an https URL without user and password, or http on this machine')
    }
    if (!text) complain(secret_env, `must be set beside ${url_env}`)
    else if (!secret) {
      complain(secret_env, 'must be whsec_ and 24 to 64 bytes in base64: `openssl rand -base64 32`')
    }
    return url && secret ? { ...receiver, endpoint: { url, secret } } : receiver
  }
  return Object.fromEntries(Object.entries(provisioning).map(([id, one]) => [id, read(one)]))
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

function readAddress(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url || url.username || url.password) return undefined
  const safe =
    url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname))
  return safe ? url.href : undefined
}
