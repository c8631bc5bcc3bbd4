import type { RequestFacts } from '../../kernel/http.ts'

export type Metadata = Readonly<Record<string, unknown>>

/** What one request brings beside its metadata. */
export interface Arrival<Client> {
  readonly token: string | undefined
  readonly facts: RequestFacts
  accepts(client: Client): void
  statement(jwt: string, issuers: readonly string[]): Promise<Metadata>
}

export interface RegistrationAnswer {
  readonly clientId: string
  readonly metadata: Metadata
  readonly token: string
}

/** Clients that come by themselves. Throws an `AppError` whose code ends with the error of RFC 7591 §3.2.2. */
export interface RegistrationPorts<Client> {
  readonly offers: { readonly registration: boolean; readonly documents: boolean }
  register(metadata: Metadata, arrival: Arrival<Client>): Promise<RegistrationAnswer>
  read(clientId: string, arrival: Arrival<Client>): Promise<RegistrationAnswer>
  update(clientId: string, metadata: Metadata, arrival: Arrival<Client>): Promise<RegistrationAnswer>
  remove(clientId: string, arrival: Arrival<Client>): Promise<void>
}
