import type { z } from 'zod'
import type { Field } from '../../../kernel/resource.ts'

/** A field of the protocol that a client need not have. */
export interface ProtocolField extends Field {
  readonly optional: true
}

export const protocolField = <Schema extends z.ZodType>(schema: Schema, documentation: string) => ({
  schema: schema.nullish(),
  documentation,
  writable: 'always' as const,
  optional: true as const,
})

/** What a group of fields is in a client: each value, or `undefined` where nothing was said. */
export type ValuesOf<Group extends Readonly<Record<string, Field>>> = {
  readonly [Name in keyof Group]?: NonNullable<z.output<Group[Name]['schema']>> | undefined
}
