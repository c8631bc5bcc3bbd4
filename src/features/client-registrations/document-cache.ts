import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kernel/clock.ts'
import type { Client, Registering } from '../clients/index.ts'
import { type Asker, openSlots } from './document-slots.ts'

type Draft = ReturnType<Registering['draft']>

/** What a document was good for, until it has to be asked for anew. */
export interface Kept {
  readonly draft: Draft
  readonly until: number
  /** As it was made for what is stored of it: the same object as long as nothing changes. */
  client?: Client | undefined
  stored?: object | undefined
}

export interface DocumentCache {
  /** `undefined` where there is none that is good. */
  find(id: string, asker: Asker): Promise<Kept | undefined>
}

/** That a server does not answer today says nothing about tomorrow, and nothing about the document. */
export class Unreachable extends Error {}

interface Dependencies {
  readonly clock: Clock
  /** How long one that was allowed is still believed while its server does not answer. */
  readonly staleSeconds: number
  /** Throws `Unreachable`, or the reason why it is refused. */
  readonly load: (id: string) => Promise<{ readonly draft: Draft; readonly seconds: number }>
}

interface Failure {
  readonly until: number
  readonly isPassing: boolean
}

const mostKept = 1_000
const failureSeconds = 30

/** What was fetched lately. Strangers name the addresses: nothing that they do pushes out what people have allowed. */
export function openDocumentCache({ clock, staleSeconds, load }: Dependencies): DocumentCache {
  const good = openGood()
  const failures = new LRUCache<string, Failure>({ max: mostKept })
  const underWay = new Map<string, Promise<Kept | undefined>>()
  const slots = openSlots()

  const fetchAnew = async (id: string, { isKnown }: Asker): Promise<Kept | undefined> => {
    const now = clock.now().getTime()
    try {
      const { draft, seconds } = await load(id)
      failures.delete(id)
      return good.put(id, { draft, until: now + seconds * 1000 }, isKnown)
    } catch (error) {
      const isPassing = error instanceof Unreachable
      failures.set(id, { until: now + failureSeconds * 1000, isPassing })
      if (!isPassing) good.remove(id)
      return undefined
    }
  }
  const start = (id: string, asker: Asker): Promise<Kept | undefined> | undefined => {
    const release = slots.take(new URL(id).hostname, asker)
    if (release === undefined) return undefined
    const fetching = fetchAnew(id, asker).finally(() => {
      release()
      underWay.delete(id)
    })
    underWay.set(id, fetching)
    return fetching
  }

  return {
    async find(id, asker) {
      const now = clock.now().getTime()
      const kept = good.get(id, asker.isKnown)
      if (kept !== undefined && kept.until > now) return kept
      const failure = failures.get(id)
      const isFresh = failure !== undefined && failure.until > now
      const found = isFresh ? undefined : await (underWay.get(id) ?? start(id, asker))
      if (found !== undefined) return found
      // Gone from there where it was refused.
      const old = asker.isKnown ? good.get(id, true) : undefined
      return old !== undefined && old.until + staleSeconds * 1000 > now ? old : undefined
    },
  }
}

/** Those that people have allowed apart from those of strangers, of which there can be any number. */
function openGood() {
  const known = new LRUCache<string, Kept>({ max: mostKept })
  const strangers = new LRUCache<string, Kept>({ max: mostKept })
  const put = (id: string, kept: Kept, isKnown: boolean): Kept => {
    strangers.delete(id)
    const cache = isKnown || known.has(id) ? known : strangers
    cache.set(id, kept)
    return kept
  }
  return {
    put,
    get(id: string, isKnown: boolean): Kept | undefined {
      const kept = known.get(id) ?? strangers.get(id)
      return kept !== undefined && isKnown && !known.has(id) ? put(id, kept, true) : kept
    },
    remove(id: string): void {
      for (const cache of [known, strangers]) cache.delete(id)
    },
  }
}
