import { isIP } from 'node:net'
import { z } from 'zod'
import { parseDistinguishedName } from '../../../kernel/distinguished-name.ts'
import { type ProtocolField, protocolField } from './field.ts'

const longestName = 1_024
const name = z.string().min(1, 'must not be empty').max(longestName)

/** How a client proves itself by a TLS certificate (RFC 8705), and how fresh its proofs of another key must be (RFC 9449). */
export const certificateFields = {
  tlsClientAuthSubjectDn: protocolField(
    name.refine(
      (text) => parseDistinguishedName(text) !== undefined,
      'must be a name as RFC 4514 writes it, such as CN=shop,O=Example,C=DE (openssl x509 -noout -subject -nameopt RFC2253)',
    ),
    'For tls_client_auth: the subject of its certificate, from the most specific part on (RFC 4514).',
  ),
  tlsClientAuthSanDns: protocolField(
    name.regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'must be the name of a host'),
    'For tls_client_auth: a DNS name among the alternative names of its certificate.',
  ),
  tlsClientAuthSanUri: protocolField(
    name.refine(URL.canParse, 'must be a URI'),
    'For tls_client_auth: a URI among the alternative names of its certificate, such as a SPIFFE ID.',
  ),
  tlsClientAuthSanIp: protocolField(
    name.refine((text) => isIP(text) !== 0, 'must be an IP address'),
    'For tls_client_auth: an IP address among the alternative names of its certificate.',
  ),
  tlsClientAuthSanEmail: protocolField(
    name.regex(/^[^@\s]+@[^@\s]+$/, 'must be an e-mail address'),
    'For tls_client_auth: an e-mail address among the alternative names of its certificate.',
  ),
  useMtlsEndpointAliases: protocolField(
    z.boolean(),
    'It uses the endpoints of mtls_endpoint_aliases whenever it shows its certificate. Said for its own sake: the server serves both.',
  ),
  dpopNonceRequired: protocolField(
    z.boolean(),
    'Its DPoP proofs must carry a nonce of the server (RFC 9449 §8), so that none can be made beforehand.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
