import { AppError, notFound } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Level } from '../../kernel/levels.ts'
import type { Command, CommandAnswer } from '../feature.ts'
import { whyCommand } from './definition.ts'
import { type Demands, reasonText } from './policy.ts'

/** One way through a sign-in: what is proven at each step, and what comes at its end. */
export interface Way {
  readonly steps: readonly string[]
  /** `done`, or the ways to sign in of which one has to be added. */
  readonly end: { readonly reaches: Level } | { readonly mustAdd: readonly string[]; readonly until?: Date }
}

export interface WhyDependencies {
  findUser(
    key: string,
  ): Promise<{ readonly id: UserId; readonly label: string; readonly active: boolean } | undefined>
  findClient(
    id: string,
  ): Promise<{ readonly id: string; readonly name: string; readonly active: boolean } | undefined>
  demands(userId: string, clientId: string | undefined, requested: readonly Level[]): Promise<Demands>
  /** Every way through the sign-in, decided by the very function that decides real ones. */
  ways(userId: UserId, demands: Demands): Promise<readonly Way[]>
}

/** `latchkey why`. */
export const commandWhy = (dependencies: WhyDependencies): Command => ({
  ...whyCommand,
  async run(input): Promise<CommandAnswer> {
    const { user: key, client: clientId, acr } = input as { user: string; client?: string; acr?: Level }
    const user = await dependencies.findUser(key)
    if (user === undefined) throw notFound('policy.user_not_found', `There is no user ${key}.`)
    const client = clientId === undefined ? undefined : await dependencies.findClient(clientId)
    if (clientId !== undefined && client === undefined)
      throw notFound('policy.client_not_found', `There is no client ${clientId}.`)
    if (!user.active) throw refused(`${user.label} is disabled and cannot sign in at all.`)
    if (client?.active === false)
      throw refused(`The client ${client.name} is disabled: nobody can sign in to it.`)
    const demands = await dependencies.demands(user.id, client?.id, acr === undefined ? [] : [acr])
    const ways = await dependencies.ways(user.id, demands)
    const to = client === undefined ? 'Latchkey’s own pages' : `${client.name} (${client.id})`
    return {
      text: [`${user.label} signing in to ${to}`, ...rulesText(demands), ...ways.map(wayText)].join('\n'),
      json: { user: user.id, client: client?.id ?? null, ...demands, ways },
    }
  },
})

const refused = (message: string): AppError => new AppError('policy.cannot_sign_in', 409, message)

const rulesText = ({ reasons }: Demands): readonly string[] => [
  '  Demanded:',
  ...reasons.map((reason) => `    ${reasonText(reason)}`),
]

function wayText({ steps, end }: Way): string {
  const path = steps.join(', then ')
  if ('reaches' in end) return `  ${path}: signed in, ${end.reaches}`
  const put = end.until === undefined ? 'must be added first' : `must be added by ${end.until.toISOString()}`
  return `  ${path}: ${end.mustAdd.join(' or ') || 'a stronger way to sign in, which this server does not offer,'} ${put}`
}
