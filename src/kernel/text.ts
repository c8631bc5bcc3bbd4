/** Values for the placeholders of a message; plain text, never markup. */
export type TextParams = Readonly<Record<string, string | number | Date>>

/** A message of `views/messages` and its parameters, put into words when it is shown, in the language of who reads it. */
export interface Text {
  readonly key: string
  readonly params?: TextParams
}

/** What a page shows: a template of `views/` and what it is given; the template decides how. */
export interface View {
  readonly template: string
  readonly model: Readonly<Record<string, unknown>>
}
