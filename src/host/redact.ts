/** Names under which a secret could ever reach a log line. */
const secretNames = new Set([
  'password',
  'secret',
  'client_secret',
  'clientsecret',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'code_verifier',
  'client_assertion',
  'assertion',
  'authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'jti',
  'masterkey',
  'jwks',
  '_csrf',
])
const deepest = 6
const censored = '[redacted]'
/** The code of an error (`ECONNREFUSED`, `P2002`) is what is looked for first, and no secret. */
const errorCode = /^[A-Z][A-Z0-9_]{1,40}$/

/** A copy without the values of secret names, at any depth; what lies deeper than six levels is left out. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Error)
    return value
  if (depth === deepest) return '[deeper]'
  if (Array.isArray(value)) return value.map((entry) => redacted(entry, depth + 1))
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const entry = (value as Record<string, unknown>)[key]
    copy[key] = isSecret(key, entry) ? censored : redacted(entry, depth + 1)
  }
  return copy
}

function isSecret(key: string, value: unknown): boolean {
  if (!secretNames.has(key.toLowerCase())) return false
  return !(key === 'code' && typeof value === 'string' && errorCode.test(value))
}
