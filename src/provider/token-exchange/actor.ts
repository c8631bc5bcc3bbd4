import type { Payload } from '../artefacts/payload.ts'
import { type Bearer, TokenRefused } from './subject.ts'

/** How many actors stand behind one another at most, and how often a token is exchanged. */
export const maximumDepth = 4

/** Who acts: a client for itself, or a person through it. */
export interface Actor {
  readonly sub: string
  readonly client_id: string
}

/** Throws where the token says that somebody else may act, and not this one (RFC 8693 §4.4). */
export function checkMayAct({ mayAct }: Bearer, actor: Actor, issuer: string): void {
  if (mayAct === undefined) return
  const known: Readonly<Payload> = { ...actor, iss: issuer }
  const named = Object.entries(mayAct)
  const isNamed =
    named.length > 0 && named.every(([name, value]) => Object.hasOwn(known, name) && known[name] === value)
  if (!isNamed) throw new TokenRefused('it names another one who may act')
}

/** The claim `act` of the new token: who acts now, and within it who acted before (RFC 8693 §4.1). */
export function actClaim({ act }: Bearer, actor: Actor): Readonly<Payload> {
  if (depthOf(act) >= maximumDepth) throw new TokenRefused('too many have acted with it one after another')
  const own = actor.sub === actor.client_id ? { sub: actor.sub } : actor
  return { ...own, ...(act !== undefined && { act }) }
}

function depthOf(act: unknown): number {
  let depth = 0
  for (let each = act; typeof each === 'object' && each !== null; each = (each as Payload).act) depth += 1
  return depth
}
