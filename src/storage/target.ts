import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../kernel/errors.ts'

export type Target =
  | { readonly dialect: 'sqlite'; readonly file: string }
  | { readonly dialect: 'postgresql'; readonly url: string }

/** Reads DATABASE_URL: `postgresql://…`, `file:…`, or nothing for `latchkey.db` in the data folder. */
export function parseTarget(databaseUrl: string | undefined, dataFolder: string): Target {
  if (databaseUrl === undefined) return { dialect: 'sqlite', file: resolve(dataFolder, 'latchkey.db') }
  if (/^postgres(ql)?:\/\//.test(databaseUrl)) return { dialect: 'postgresql', url: databaseUrl }
  if (databaseUrl.startsWith('file:')) return { dialect: 'sqlite', file: sqliteFile(databaseUrl) }
  throw new AppError(
    'storage.unknown_database',
    500,
    'DATABASE_URL must begin with postgresql:// for PostgreSQL, or with file: for a SQLite file.',
  )
}

function sqliteFile(url: string): string {
  if (url.startsWith('file://')) return fileURLToPath(url)
  const path = url.slice('file:'.length)
  return isAbsolute(path) ? path : resolve(path)
}
