import type { View } from '../../kernel/text.ts'
import type { Panel } from '../feature.ts'
import type { ActivityPage } from './activity.ts'

const viewOf = ({ happenings, next }: ActivityPage, older: boolean): View => ({
  template: 'audit/panel',
  model: { happenings, older, ...(next !== undefined && { next: encodeURIComponent(next) }) },
})

/** What happened to a person's account lately, and page by page before that. */
export const activityPanel = (
  activity: (userId: string, after?: string) => Promise<ActivityPage>,
): Panel => ({
  name: 'audit',
  page: 'activity',
  order: 10,
  show: async ({ userId }) => viewOf(await activity(userId), false),
  pages: {
    older: {
      title: 'activity.older-title',
      show: async ({ userId }, { after }) => viewOf(await activity(userId, after), true),
    },
  },
})
