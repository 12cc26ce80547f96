/** What an upstream must know of us (SAML Metadata 2.0 §2.4.4). The same at every reading, for who compares. */
import { contentEncryption, keyEncryption } from './algorithms.ts'
import { escapeXml, ns } from './xml.ts'

export type ServiceProvider = {
  entityId: string
  acs: string
  logout: string
  nameIdFormat: string
  /** Base64 of DER: signs, and is encrypted for. */
  certificate: string
}

const binding = (name: 'HTTP-Redirect' | 'HTTP-POST') =>
  `urn:oasis:names:tc:SAML:2.0:bindings:${name}`

export function serviceProviderMetadata(sp: ServiceProvider): string {
  const logout = escapeXml(sp.logout)
  const key = (use: string, methods: readonly string[]) =>
    [
      `    <md:KeyDescriptor use="${use}">`,
      `      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>${sp.certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`,
      ...methods.map((one) => `      <md:EncryptionMethod Algorithm="${one}"/>`),
      '    </md:KeyDescriptor>',
    ].join('\n')
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="${ns.metadata}" xmlns:ds="${ns.signature}" entityID="${escapeXml(sp.entityId)}">
  <md:SPSSODescriptor protocolSupportEnumeration="${ns.protocol}" AuthnRequestsSigned="true" WantAssertionsSigned="true">
${key('signing', [])}
${key('encryption', [...contentEncryption, keyEncryption])}
    <md:SingleLogoutService Binding="${binding('HTTP-Redirect')}" Location="${logout}"/>
    <md:SingleLogoutService Binding="${binding('HTTP-POST')}" Location="${logout}"/>
    <md:NameIDFormat>${escapeXml(sp.nameIdFormat)}</md:NameIDFormat>
    <md:AssertionConsumerService Binding="${binding('HTTP-POST')}" Location="${escapeXml(sp.acs)}" index="0" isDefault="true"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
`
}
