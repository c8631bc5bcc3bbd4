import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Middleware } from 'koa'
import { openVerifier } from './assertions/verify.ts'
import { documentCache } from './documents.ts'
import { eachOrUnavailable } from './errors.ts'
import { buildInstance, type Instance, revisionOf } from './instance.ts'
import type { ProviderDependencies } from './ports.ts'

export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** The host's layers, first to last, with the layer that answers with the public documents where the host wants it. */
export type Layers = (documents: Middleware) => readonly Middleware[]

export interface CurrentInstance {
  /** The instance with the keys of now: when their revision has moved, a new one takes over. */
  get(): Promise<Instance>
  /** Builds the first one, with the host's layers in front of the library; the returned listener serves HTTP. */
  start(layers: Layers): Promise<Listener>
}

interface Running extends Instance {
  readonly listener: Listener
}

/** The library takes its keys when it is built, so a change of keys means a new instance in place of the old one. */
export function openCurrentInstance(dependencies: ProviderDependencies): CurrentInstance {
  const artefacts = eachOrUnavailable(dependencies.artefacts)
  const verifier = openVerifier({ ...dependencies, artefacts })
  let layers: Layers = (documents) => [documents]
  let building: Promise<Running> | undefined
  let latest: Running | undefined

  async function build(): Promise<Running> {
    const instance = await buildInstance({
      ...dependencies,
      verifier,
      middleware: layers(documentCache()),
    })
    const callback = instance.provider.callback()
    latest = { ...instance, listener: (request, response) => void callback(request, response) }
    return latest
  }

  /** The latest, unless keys have changed since; a revision that cannot be known is taken for the same. */
  function upToDate(): Running | undefined {
    const revision = revisionOf(dependencies.ports)
    return revision === undefined || revision === latest?.revision ? latest : undefined
  }

  async function get(): Promise<Running> {
    const running = upToDate()
    if (running !== undefined) return running
    building ??= build().finally(() => {
      building = undefined
    })
    return await building
  }

  return {
    get,
    async start(middleware) {
      layers = middleware
      await get()
      return (request, response) => {
        const running = upToDate()
        if (running !== undefined) return running.listener(request, response)
        // Keys have changed. Should reading them fail, the keys at hand still serve; the next request tries again.
        get().then(
          ({ listener }) => listener(request, response),
          () => latest?.listener(request, response),
        )
      }
    },
  }
}
