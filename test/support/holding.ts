/**
 * Stops one call of the running server where a test wants it, so that something else can happen in between.
 *
 *     const held = holdNext(latchkey.app.features.attempts.attempts, 'add')
 *     const answer = visitor.submit(page, form)
 *     await held.reached
 *     // what is to come first
 *     held.release()
 *     await answer
 */
export interface Held {
  /** Once the call has come as far as this. */
  readonly reached: Promise<void>
  release(): void
}

type Method = (...args: unknown[]) => unknown

/** Holds the next call of a method, before its work or after it; every later call passes. */
export function holdNext<T extends object>(
  target: T,
  name: string & keyof T,
  when: 'before' | 'after' = 'before',
): Held {
  const original: unknown = target[name]
  if (typeof original !== 'function') throw new Error(`${name} is no method.`)
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const held: Method = async (...args) => {
    Object.assign(target, { [name]: original })
    const stop = async (): Promise<void> => {
      reached.resolve()
      await released.promise
    }
    if (when === 'before') await stop()
    const result: unknown = await Reflect.apply(original, target, args)
    if (when === 'after') await stop()
    return result
  }
  Object.assign(target, { [name]: held })
  return { reached: reached.promise, release: released.resolve }
}

/** What `send` is answered with, whose work is held where it is until `meanwhile` is done. */
export async function whileHeld<T>(
  held: Held,
  send: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  const answer = send()
  await held.reached
  await meanwhile()
  held.release()
  return await answer
}
