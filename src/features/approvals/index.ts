/**
 * Owns what applications ask of a person who is elsewhere: telling him, his answer, and telling the application.
 * Does not own the requests, which are the provider's, nor what is given: a grant of the session in which he approved.
 */
import type { Feature } from '../feature.ts'
import { type ApprovalDependencies, type ApprovalDoors, type Approvals, openAsking } from './approvals.ts'
import { notificationDelivery } from './notifications.ts'
import { approvalPanel } from './panel.ts'

export type { ApprovalDependencies, ApprovalDoors, Approvals, Waiting } from './approvals.ts'
export type { Notification } from './notifications.ts'

export interface ApprovalsFeature extends Feature {
  readonly approvals: Approvals
  /** The doors are opened when the server is; the command line has none. */
  connect(doors: ApprovalDoors): void
}

export function openApprovals(dependencies: ApprovalDependencies): ApprovalsFeature {
  let doors: ApprovalDoors | undefined
  return {
    name: 'approvals',
    approvals: openAsking(dependencies),
    connect(opened) {
      doors = opened
    },
    panels: [approvalPanel({ ...dependencies, doors: () => doors })],
    deliveries: [
      notificationDelivery({
        ...dependencies,
        isUnclaimed: async (authReqId) => (await doors?.isUnclaimed(authReqId)) ?? true,
      }),
    ],
  }
}
