/** What a provider's page says to those who look for OpenID (OpenID Authentication 2.0 §7.3.3, Yadis 1.0 §6.2.5). */

export type PageHints = {
  /** Where its XRDS is. */
  xrdsLocation?: string
  /** Its OP Endpoint URL, said here. */
  provider?: string
}

/** Of a head whose tags are left out, the first other one ends it. */
const inHead = new Set('html head title base link meta style script noscript template'.split(' '))

/** Reads the head: what stands in the body may be anybody's. */
export async function readHtml(text: string): Promise<PageHints> {
  const { Parser } = await import('htmlparser2')
  const hints: PageHints = {}
  const parser = new Parser({
    onopentag(tag, { rel = '', href, 'http-equiv': header = '', content }) {
      if (!inHead.has(tag)) return parser.pause()
      if (tag === 'meta' && header.toLowerCase() === 'x-xrds-location' && content) {
        hints.xrdsLocation ??= content.trim()
      }
      const rels = rel.toLowerCase().split(/\s+/)
      if (tag === 'link' && rels.includes('openid2.provider') && href) {
        hints.provider ??= href.trim()
      }
    },
    onclosetag(tag) {
      if (tag === 'head') parser.pause()
    },
  })
  parser.end(text)
  return hints
}
