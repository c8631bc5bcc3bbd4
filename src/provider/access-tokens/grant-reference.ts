import type { Sealing } from '../../kernel/sealing.ts'

/** The claim of a JWT access token that tells the server, and nobody else, of what it came. */
export const grantReferenceClaim = 'grant_ref'

/** Of what a token came; it ends with it. */
export interface GrantReference {
  readonly grantId?: string | undefined
  /** Of a token that ends with its session. */
  readonly sessionUid?: string | undefined
  /** Where there is no grant that tells. */
  readonly accountId?: string | undefined
}

const place = (jti: string): string => `access_token:${jti}:${grantReferenceClaim}`

/** Sealed for this one token, so that two of them cannot be seen to belong together, and neither moved to another. */
export const sealReference = (sealing: Sealing, jti: string, reference: GrantReference): string => {
  const { grantId = '', sessionUid = '', accountId = '' } = reference
  return sealing.seal([grantId, sessionUid, grantId === '' ? accountId : ''].join(' '), place(jti))
}

/** `undefined` for what was not sealed here for this token. */
export function openReference(sealing: Sealing, jti: string, sealed: unknown): GrantReference | undefined {
  if (typeof sealed !== 'string') return undefined
  try {
    const [grantId, sessionUid, accountId] = sealing.open(sealed, place(jti)).split(' ')
    return {
      grantId: grantId || undefined,
      sessionUid: sessionUid || undefined,
      accountId: accountId || undefined,
    }
  } catch {
    return undefined
  }
}
