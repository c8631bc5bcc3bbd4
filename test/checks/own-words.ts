import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Verdict } from './verdict.ts'

interface ForeignWord {
  readonly what: string
  readonly pattern: RegExp
  /** The one file in which it counts; every file when left out. */
  readonly only?: string
}

/** What says something of the machine or the moment a file was written on, and not of the project. */
const foreignWords: readonly ForeignWord[] = [
  {
    what: 'a path of somebody’s machine',
    pattern:
      /(?<![\w.})-])\/(?:(?:home|Users)\/(?!node\/)[\w.-]+|root|work|workspaces?|builds|tmp\/\w+)\/[\w.-]/,
  },
  { what: 'a path of somebody’s machine', pattern: /\b[A-Z]:\\+Users\\/ },
  {
    what: 'the host of a package registry',
    pattern: /\b(?:registry|npm|packages?)\.[\w.-]+\.(?:com|org|net|io|dev|cloud|internal|local)\b/,
  },
  {
    what: 'the host of a package registry',
    pattern: /https?:\/\/[^\s/]*(?:registry|artifactory|nexus|verdaccio)/,
  },
  { what: 'the choice of a package registry', pattern: /^[ \t]*(?:@[\w-]+:)?registry\s*=/m, only: '.npmrc' },
  { what: 'where a package was fetched', pattern: /"resolved":/, only: 'package-lock.json' },
  { what: 'a promise instead of the work', pattern: /\b(?:TO[D]O|FIX[M]E)\b/ },
]

/** Reads every file that git tracks or would track, and finds what does not speak of the project. */
export function checkOwnWords(root: string): Verdict {
  const files = trackedFiles(root)
  // A checkout or a home of one short folder, such as `/app`, is a path that documentation may well name.
  const machine = [root, homedir()].filter((path) => path.length > '/root/'.length)
  const faults = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/"integrity": "[^"]*"/g, '')
    if (text.includes('\0')) return []
    const own = machine
      .filter((path) => text.includes(path))
      .map((path) => fault(file, text.indexOf(path), { text }))
    return [...own, ...wordsIn(file, text)]
  })
  const unread = files.length === 0 ? ['git lists no file here, so nothing was checked'] : []
  return { faults: [...unread, ...faults], summary: `${files.length} files` }
}

function wordsIn(file: string, text: string): readonly string[] {
  return foreignWords.flatMap(({ what, pattern, only }) => {
    const index = only === undefined || only === file ? text.search(pattern) : -1
    return index === -1 ? [] : [fault(file, index, { text, what })]
  })
}

function fault(
  file: string,
  index: number,
  { text, what = 'a path of this machine' }: { text: string; what?: string },
) {
  const line = text.slice(0, index).split('\n').length
  return `${file}:${line} holds ${what}: ${text.split('\n')[line - 1]?.trim().slice(0, 120)}`
}

function trackedFiles(root: string): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return listed
    .split('\0')
    .filter((file) => file !== '' && lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile())
}
