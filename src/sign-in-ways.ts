import type { Clients } from './features/clients/index.ts'
import type { Feature } from './features/feature.ts'
import type { OtherWays } from './features/passwords/index.ts'
import type { Demands, PolicyDependencies } from './features/policy/index.ts'
import type { Users } from './features/users/index.ts'
import { isAtLeast } from './kernel/levels.ts'
import { waysOf } from './pages/login/ways.ts'

/** What explaining a sign-in needs of the people, the clients and the factors. */
export const signInWays = (
  { users, clients }: { readonly users: Users; readonly clients: Clients },
  all: readonly Feature[],
): Pick<PolicyDependencies, 'findUser' | 'findClient' | 'ways' | 'isAdministrator' | 'requiredBy'> => ({
  isAdministrator: async (userId) => (await users.find(userId))?.administrator ?? false,
  requiredBy: async (clientId) => (await clients.find(clientId))?.requiredLevel,
  async findUser(key) {
    const user = await users.findByKey(key)
    if (user === undefined) return undefined
    const { id, email, username, name } = user
    return { id, label: email ?? username ?? name ?? id, active: users.isActive(user) }
  },
  async findClient(id) {
    const client = await clients.find(id)
    return client && { id: client.id, name: client.name, active: clients.isActive(client) }
  },
  ways: (userId, demands) =>
    waysOf(
      all.flatMap(({ factor }) => factor ?? []),
      userId,
      demands,
    ),
})

/** What is left to sign in with where one factor is gone. */
export function waysBeside(
  name: string,
  all: readonly Feature[],
  demandsOf: (userId: string) => Promise<Demands>,
): OtherWays {
  const others = () =>
    all.flatMap(({ factor }) => (factor === undefined || factor.name === name ? [] : factor))
  return {
    exist: () => others().some(({ offers }) => offers !== 'second'),
    async suffice(userId) {
      const demands = await demandsOf(userId)
      const ways = await waysOf(others(), userId, demands)
      return ways.some(({ end }) => 'reaches' in end && isAtLeast(end.reaches, demands.standing))
    },
  }
}
