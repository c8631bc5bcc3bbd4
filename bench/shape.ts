import { decodeProtectedHeader } from 'jose'
import { mintTokens, requestTokens } from './flows.ts'
import type { Contender } from './measure.ts'
import { parameters } from './parameters.ts'

/** What a server's answers are made of; two servers with different shapes do not do the same work. */
export type Shape = Readonly<Record<string, string>>

export async function readShape(contender: Contender): Promise<Shape> {
  const { target } = contender
  const grant = { grant_type: 'client_credentials' }
  const [person] = await mintTokens(target, (await contender.browsers()).slice(0, 1))
  const apiTokens = await Promise.all(
    Object.values(target.apis).map((resource) =>
      requestTokens(target, 'service', { ...grant, resource, scope: parameters.apiScope }),
    ),
  )
  const service = await requestTokens(target, 'service', grant)
  return {
    'tokens of a code': Object.keys(person ?? {})
      .sort()
      .join(' '),
    'ID token algorithm': algorithm(person?.id_token),
    'access token of a code': kind(person?.access_token),
    'access token of a service': kind(service.access_token),
    'access tokens for the APIs': apiTokens.map(({ access_token }) => kind(access_token)).join(' '),
  }
}

/** One sentence for each difference from the reference. */
export function compareShapes(name: string, shape: Shape, reference: Shape): string[] {
  return Object.keys(reference)
    .filter((key) => shape[key] !== reference[key])
    .map(
      (key) => `${name} is not comparable in "${key}": ${shape[key]}, the bare provider: ${reference[key]}`,
    )
}

function kind(token: string | undefined): string {
  if (token === undefined) return 'none'
  return token.startsWith('ey') ? `JWT ${algorithm(token)}` : 'opaque'
}

function algorithm(jwt: string | undefined): string {
  return jwt === undefined ? 'none' : (decodeProtectedHeader(jwt).alg ?? 'none')
}
