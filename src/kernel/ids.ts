import { createHash, randomBytes, randomUUID } from 'node:crypto'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type UserId = Branded<'UserId'>
export type ClientId = Branded<'ClientId'>
export type ResourceId = Branded<'ResourceId'>

/** A random identifier that is public: UUID version 4 (RFC 9562 §5.4). */
export const newId = <Id extends string = string>(): Id => randomUUID() as Id

/** A bearer value of `bytes` random bytes (256 bits unless told), base64url. */
export const newSecret = (bytes = 32): string => randomBytes(bytes).toString('base64url')

/** Whether the text can be what `newSecret()` made; anything else is not worth looking up. */
export const isSecret = (text: string): boolean => /^[\w-]{43}$/.test(text)

/** Whether the text can be an identifier of ours; PostgreSQL refuses to look for some of what cannot. */
export const isId = (text: string): boolean => /^[\w-]{1,64}$/.test(text)

/** SHA-256 of a bearer value, base64url. Only for values of at least 128 random bits, never for what a person chose. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
