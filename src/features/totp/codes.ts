import { generateSecret, generateURI, verifySync } from 'otplib'
import { labelLength } from './totp.ts'

/** What every authenticator app supports, and most support alone: SHA-1, 6 digits, 30 seconds. */
const digits = 6
const stepSeconds = 30
const keyBytes = 20

/** A new key of 160 bits (RFC 4226 §4 R6), in Base32. */
export const newKey = (): string => generateSecret({ length: keyBytes })

/** What a person typed, as digits of ASCII: any script's digits count, blanks and dashes do not. */
export const typedDigits = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\s\p{Pd}\p{Cf}]/gu, '')
    .replace(/\p{Nd}/gu, (digit) => String(decimalValue(digit)))

/** Whether it can be a code at all; anything else is not worth an answer. */
export const isCode = (text: string): boolean => text.length === digits && /^\d+$/.test(text)

/** The decimal digits of a script stand in a row, and no two rows touch once NFKC is applied (Unicode §4.6). */
function decimalValue(digit: string): number {
  const point = digit.codePointAt(0) ?? 0
  let value = 0
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value += 1
  return value
}

/**
 * The time step whose code this is: the present one, the one before or the one after (RFC 6238 §5.2). Compared in constant
 * time. `undefined` for any other code. Whether the step may still be used is not asked here.
 */
export function stepOf(key: string, code: string, at: Date): number | undefined {
  if (!isCode(code)) return undefined
  const epoch = Math.floor(at.getTime() / 1000)
  const options = { strategy: 'totp', digits, period: stepSeconds, epochTolerance: stepSeconds } as const
  const result = verifySync({ ...options, secret: key, token: code, epoch })
  return result.valid && 'timeStep' in result ? result.timeStep : undefined
}

/** The address by which an app takes over the key; it shows `issuer` and `account` with its codes. */
export const enrolmentUri = (issuer: string, account: string, key: string): string =>
  generateURI({ issuer: shortened(issuer), label: shortened(account), secret: key })

const shortened = (text: string): string => [...text].slice(0, labelLength).join('')

/** In groups of four, as a person types it. */
export const groupsOf = (key: string): readonly string[] => key.match(/.{1,4}/g) ?? []
