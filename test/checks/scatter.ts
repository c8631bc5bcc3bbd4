import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFiles } from './modules.ts'
import type { Verdict } from './verdict.ts'

/**
 * Capabilities by their folder below `src/features`, and the words by which other files would name them. How many do is
 * the figure by which a house is judged: to change a capability means to visit them all.
 */
const capabilities: Readonly<Record<string, RegExp>> = {
  passkeys: /passkey|webauthn/i,
  totp: /totp|otpauth/i,
}

/** The line of the composition root, of the verbs and of the settings. */
const limit = 3

/** Counts the source files that name a capability outside its own folder, comments and all. */
export function checkScatter(root: string): Verdict {
  const files = sourceFiles(root, 'src').map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }))
  const counted = Object.entries(capabilities).map(([name, words]) => {
    const own = `src/features/${name}/`
    const naming = files.filter(({ path, text }) => !path.startsWith(own) && words.test(text))
    return {
      name,
      there: files.some(({ path }) => path.startsWith(own)),
      paths: naming.map(({ path }) => path),
    }
  })
  return {
    faults: counted.flatMap(({ name, there, paths }) => [
      ...(there ? [] : [`src/features/${name} is missing, so nothing was counted`]),
      ...(paths.length > limit
        ? [
            `${name} is named by ${paths.length} files outside its folder, more than ${limit}: ${paths.join(', ')}`,
          ]
        : []),
    ]),
    summary: counted.map(({ name, paths }) => `${name} is named by ${paths.length} other files`).join(', '),
  }
}
