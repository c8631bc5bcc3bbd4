/** What a client says of signatures and encryption; the library knows each by the same name in snake case. */
export const encryptionNames = [
  'requestObjectSigningAlg',
  'requestObjectEncryptionAlg',
  'requestObjectEncryptionEnc',
  'idTokenEncryptedResponseAlg',
  'idTokenEncryptedResponseEnc',
  'userinfoSignedResponseAlg',
  'userinfoEncryptedResponseAlg',
  'userinfoEncryptedResponseEnc',
  'authorizationSignedResponseAlg',
  'authorizationEncryptedResponseAlg',
  'authorizationEncryptedResponseEnc',
  'introspectionSignedResponseAlg',
  'introspectionEncryptedResponseAlg',
  'introspectionEncryptedResponseEnc',
  'subjectType',
  'sectorIdentifierUri',
] as const

export type ClientEncryption = { readonly [Name in (typeof encryptionNames)[number]]?: string | undefined }

/** User information is signed before it is encrypted (OpenID Connect Core 1.0 §5.3.2): by what, where nothing was said. */
export const impliedUserinfoAlgorithm = (
  client: ClientEncryption & { readonly idTokenAlgorithm: string },
): string | undefined =>
  client.userinfoEncryptedResponseAlg === undefined
    ? client.userinfoSignedResponseAlg
    : (client.userinfoSignedResponseAlg ?? client.idTokenAlgorithm)
