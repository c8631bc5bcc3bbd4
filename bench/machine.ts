import { availableParallelism, cpus, totalmem } from 'node:os'

/** What the figures were taken on. */
export const machine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
})
