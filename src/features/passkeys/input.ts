import { z } from 'zod'
import { malformed, noAnswer } from './passkeys.ts'

const maximumLength = 32_768

const base64url = z.string().regex(/^[\w-]+$/)
/** WebAuthn Level 3 §7.1: at most 1023 bytes. */
const credentialId = base64url.max(1_364)

const transport = z.enum(['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'])

const assertionSchema = z.strictObject({
  id: credentialId,
  type: z.literal('public-key'),
  response: z.strictObject({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.max(86).optional(),
  }),
})

const registrationSchema = z.strictObject({
  id: credentialId,
  type: z.literal('public-key'),
  response: z.strictObject({
    clientDataJSON: base64url,
    attestationObject: base64url,
    // A browser newer than we are may name one that we do not know (§5.8.4).
    transports: z
      .array(z.string().max(32))
      .max(16)
      .transform((all) => [...new Set(all)].filter((each) => transport.safeParse(each).success))
      .default([]),
  }),
})

export type Assertion = z.infer<typeof assertionSchema>
export type Registration = z.infer<typeof registrationSchema>

/** The field `credential` of a form. Throws `passkeys.no_answer` and `passkeys.malformed` (400). */
export const assertionIn = (form: unknown): Assertion => parse(assertionSchema, form)
/** Throws `passkeys.no_answer` and `passkeys.malformed` (400). */
export const registrationIn = (form: unknown): Registration => parse(registrationSchema, form)

const formSchema = z.strictObject({ credential: z.string().max(maximumLength).default('') })

function parse<T>(schema: z.ZodType<T>, form: unknown): T {
  const fields = formSchema.safeParse(form)
  if (!fields.success) throw malformed(fields.error)
  const { credential } = fields.data
  if (credential === '') throw noAnswer()
  const parsed = schema.safeParse(jsonIn(credential))
  if (!parsed.success) throw malformed(parsed.error)
  return parsed.data
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed(cause)
  }
}

// Neither controls, nor what turns the direction of the words around it (UAX #9 §2), nor half a character.
const plainText = /^[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]{1,64}$/u

const nameSchema = z
  .string()
  .transform((text) => text.normalize('NFC').trim())
  .pipe(z.string().regex(plainText))

/** The name of a passkey as somebody typed it; `undefined` where it cannot be one. */
export const nameIn = (text: string | undefined): string | undefined => nameSchema.safeParse(text).data
