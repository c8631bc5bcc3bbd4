/** What the library stores: plain JSON whose members each model knows. */
export type Payload = Record<string, unknown>

/** The payload as it is stored: without the identifier, which is a bearer secret. */
export const withoutIdentifier = ({ jti: _, ...payload }: Payload): string => JSON.stringify(payload)
