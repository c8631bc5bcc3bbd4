import type { Ground } from './ground.ts'
export async function springSecurity(_ground: Ground): Promise<string> {
  return ''
}
