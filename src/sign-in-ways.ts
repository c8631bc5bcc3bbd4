import type { Clients } from './features/clients/index.ts'
import type { Feature } from './features/feature.ts'
import type { PolicyDependencies } from './features/policy/index.ts'
import type { Users } from './features/users/index.ts'
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
