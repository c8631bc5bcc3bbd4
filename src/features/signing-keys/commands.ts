import { z } from 'zod'
import type { Command, CommandDefinition, FeatureDefinition } from '../feature.ts'
import { algorithms, type SigningKey } from './signing-keys.ts'

export interface KeyOperations {
  list(): Promise<readonly SigningKey[]>
  /** Publishes a next key of each algorithm, or of one; with `immediately`, lets it sign at once. Returns all keys. */
  rotate(only: string | undefined, immediately: boolean): Promise<readonly SigningKey[]>
  /** Throws `signing-keys.unknown` (404), and `signing-keys.in_use` (409) for the one that signs. */
  remove(kid: string): Promise<void>
  rotateCookieKey(): Promise<void>
}

const listCommand: CommandDefinition = {
  words: ['keys', 'list'],
  documentation: 'List the keys that sign and decrypt, and their states.',
  input: {},
}

const rotateCommand: CommandDefinition = {
  words: ['keys', 'rotate'],
  documentation:
    'Publish the next signing keys. They begin to sign after the publication time, or at once with --immediately. Tokens signed by earlier keys keep verifying.',
  input: {
    algorithm: {
      schema: z.enum(algorithms),
      documentation: `Only this algorithm: ${algorithms.join(', ')}.`,
      optional: true,
    },
    immediately: {
      schema: z.boolean().default(false),
      documentation:
        'Sign with the new keys at once. For a key that has leaked: remove the old one afterwards.',
      optional: true,
    },
  },
}

const removeCommand: CommandDefinition = {
  words: ['keys', 'remove'],
  documentation:
    'Remove a key that does not sign (any more), so that nothing signed by it verifies. For a key that has leaked, after keys rotate --immediately.',
  input: { kid: { schema: z.string().min(1).max(100), documentation: 'The key, as keys list shows it.' } },
}

const rotateCookiesCommand: CommandDefinition = {
  words: ['keys', 'rotate-cookies'],
  documentation:
    'Sign cookies with a new key. Cookies signed by the one before stay valid until the next rotation.',
  input: {},
}

/** What the feature is, known without a database. */
export const signingKeysDefinition: FeatureDefinition = {
  name: 'signing-keys',
  documentation: 'The keys that tokens and cookies are signed with.',
  commands: [listCommand, rotateCommand, removeCommand, rotateCookiesCommand],
}

export const keyCommands = (operations: KeyOperations): readonly Command[] => [
  { ...listCommand, run: async () => answer('', await operations.list()) },
  {
    ...rotateCommand,
    async run(input) {
      const keys = await operations.rotate(input.algorithm as string | undefined, input.immediately === true)
      const heading =
        input.immediately === true ? 'The new keys sign from now on.' : 'The next keys are published.'
      return answer(heading, keys)
    },
  },
  {
    ...removeCommand,
    async run({ kid }) {
      await operations.remove(String(kid))
      return {
        text: 'The key is removed. Applications stop accepting it when they fetch the key set anew.',
        json: { removed: kid },
      }
    },
  },
  {
    ...rotateCookiesCommand,
    async run() {
      await operations.rotateCookieKey()
      return { text: 'Cookies are signed with a new key from now on.', json: { rotated: true } }
    },
  },
]

function answer(heading: string, keys: readonly SigningKey[]): { text: string; json: unknown } {
  const lines = keys.map(({ algorithm, state, kid, createdAt }) =>
    [algorithm.padEnd(12), state.padEnd(8), kid, createdAt.toISOString()].join('  '),
  )
  const json = keys.map(({ kid, algorithm, state, createdAt, activatedAt, retiredAt }) => ({
    kid,
    algorithm,
    state,
    createdAt,
    activatedAt,
    retiredAt,
  }))
  return { text: [heading, ...lines].filter((line) => line !== '').join('\n'), json }
}
