import { empty, sqltag as sql } from '@prisma/client/runtime/client'
import { hashSecret } from '../kernel/ids.ts'
import type { Storage } from '../storage/storage.ts'

/** What a grant gives to its client. */
const given = new Set(['AuthorizationCode', 'AccessToken', 'RefreshToken'])

export interface GivenRow {
  readonly model: string
  readonly id: string
  readonly payload: string
  readonly grantId: string
  readonly sessionUid: string | null
  readonly userId: string | null
  readonly clientId: string | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

export const isGiven = (model: string): boolean => given.has(model)

/**
 * Stores a code or token if its grant is still there, in one statement, so that a grant which ends at the same moment
 * leaves nothing behind. PostgreSQL holds the grant's row meanwhile: whoever ends it waits and then removes this one too.
 */
export async function insertUnderGrant({ db, dialect }: Storage, row: GivenRow): Promise<void> {
  const { model, id, payload, grantId, sessionUid, userId, clientId, createdAt, expiresAt } = row
  await db.$executeRaw(sql`
    INSERT INTO artefact (model, id, payload, grant_id, session_uid, user_id, client_id, created_at, expires_at)
    SELECT ${model}, ${id}, ${payload}, ${grantId}, ${sessionUid}, ${userId}, ${clientId}, ${createdAt}, ${expiresAt}
    FROM artefact AS parent WHERE parent.model = 'Grant' AND parent.id = ${hashSecret(grantId)}
    ${dialect === 'postgresql' ? sql`FOR KEY SHARE` : empty}`)
}
