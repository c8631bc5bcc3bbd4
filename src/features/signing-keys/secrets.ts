import { newSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { SigningKeyStore } from './store.ts'

export interface ServerSecrets {
  /** Newest first. Makes the first one where there is none, so it can be called by several processes at once. */
  list(name: string): Promise<readonly string[]>
  /** Puts a new secret in front and keeps the one before it; returns the new one's generation. */
  rotate(name: string): Promise<number>
}

export interface ServerSecretDependencies {
  readonly store: SigningKeyStore
  readonly sealing: Sealing
}

const sealedRow = (name: string, generation: number): string => `server_secret:${name}:${generation}`

/** Symmetric secrets that all processes share: 32 random bytes each in base64url, stored sealed. */
export function openServerSecrets({ store, sealing }: ServerSecretDependencies): ServerSecrets {
  const add = (name: string, generation: number): Promise<boolean> =>
    store.insertSecret({ name, generation, sealed: sealing.seal(newSecret(), sealedRow(name, generation)) })

  async function list(name: string): Promise<readonly string[]> {
    const stored = await store.listSecrets(name)
    if (stored.length === 0) {
      await add(name, 1)
      return await list(name)
    }
    return stored.map(({ generation, sealed }) => sealing.open(sealed, sealedRow(name, generation)))
  }

  return {
    list,
    async rotate(name) {
      const [newest] = await store.listSecrets(name)
      const generation = (newest?.generation ?? 0) + 1
      await add(name, generation)
      await store.removeSecretsBefore(name, generation - 1)
      return generation
    },
  }
}
