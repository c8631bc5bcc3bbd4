import type { Clock } from '../../kernel/clock.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'

/** A feature, as far as it holds something of a person. */
export type Exporting = Pick<Feature, 'name' | 'export'>

export interface Copies {
  /** Everything that is held of a person, as JSON by the feature that holds it. */
  make(userId: UserId, request: RequestFacts): Promise<string>
}

interface Dependencies {
  readonly clock: Clock
  readonly audit: Audit
  readonly features: () => readonly Exporting[]
}

export const openCopies = ({ clock, audit, features }: Dependencies): Copies => ({
  async make(userId, request) {
    const parts: (readonly [string, unknown])[] = []
    // One after the other: the copy of one person is no reason to take the database from the others.
    for (const feature of features()) {
      if (feature.export !== undefined) parts.push([feature.name, await feature.export(userId)])
    }
    await audit.record({
      action: 'departures.exported',
      outcome: 'success',
      actor: { kind: 'user', userId },
      userId,
      request,
    })
    return `${JSON.stringify({ exportedAt: clock.now(), ...Object.fromEntries(parts) }, undefined, 2)}\n`
  },
})
