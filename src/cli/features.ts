import type { Feature } from '../features/feature.ts'
import type { CommandLinePorts } from './ports.ts'

/** Opens the features for as long as the work takes. */
export async function withFeatures(
  ports: CommandLinePorts,
  work: (features: readonly Feature[]) => Promise<void>,
): Promise<void> {
  const opened = await ports.openFeatures()
  try {
    await work(opened.features)
  } finally {
    await opened.close()
  }
}
