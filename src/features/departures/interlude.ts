import { z } from 'zod'
import { invalidInput } from '../../kernel/errors.ts'
import type { Interlude } from '../feature.ts'
import type { Departures } from './departures.ts'

const schema = z.object({ choice: z.enum(['keep', 'go-on']) })

/** Whoever signs in to an account that is going to be deleted is told, and can keep it. */
export const departureInterlude = (departures: Departures): Interlude => ({
  name: 'departures',
  order: 10,

  due: async ({ userId }) => (await departures.find(userId)) !== undefined,

  async show({ userId }) {
    const departure = await departures.find(userId)
    return {
      template: 'departures/interlude',
      model: departure === undefined ? {} : { dueAt: departure.dueAt },
    }
  },

  async finish({ userId, request, locale }, input) {
    const parsed = schema.safeParse(input)
    if (!parsed.success) throw invalidInput('departures.no_choice', 'Keep the account, or go on.')
    if (parsed.data.choice === 'go-on') return
    // In another tab he may have kept it already.
    if ((await departures.find(userId)) !== undefined) await departures.keep(userId, { request, locale })
  },
})
