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

/** SHA-256 of a bearer value, base64url. Only for values of at least 128 random bits, never for what a person chose. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
