/** Undoes what a run left outside this process, however it ends. */
export interface Cleanup {
  /** Registers a synchronous last resort (kill a child, remove a folder); returns its withdrawal. */
  onExit(undo: () => void): () => void
  /** Registers an orderly end (stop a database), awaited by `run` in reverse order. */
  onEnd(end: () => Promise<void>): void
  run(): Promise<void>
}

/**
 * Installs the exit and signal handlers. After `limitSeconds` the run is ended with code 1.
 */
export function installCleanup(limitSeconds: number): Cleanup {
  const undos = new Set<() => void>()
  const ends: (() => Promise<void>)[] = []

  async function run(): Promise<void> {
    for (let end = ends.pop(); end; end = ends.pop()) await end().catch(() => undefined)
    for (const undo of [...undos].reverse()) undo()
    undos.clear()
  }
  const leave = (code: number, message: string) => {
    process.stderr.write(`${message}\n`)
    void run().finally(() => process.exit(code))
  }
  process.on('exit', () => {
    for (const undo of [...undos].reverse()) undo()
  })
  process.once('SIGINT', () => leave(130, 'interrupted'))
  process.once('SIGTERM', () => leave(143, 'terminated'))
  setTimeout(() => leave(1, `gave up after ${limitSeconds} s`), limitSeconds * 1000).unref()

  return {
    onExit(undo) {
      undos.add(undo)
      return () => undos.delete(undo)
    },
    onEnd: (end) => ends.push(end),
    run,
  }
}
