import type { Ground } from './ground.ts'
export async function postgresql(_ground: Ground): Promise<string> {
  return ''
}
