import type { Context } from 'koa'
import { AppError } from '../../kernel/errors.ts'
import type { Metadata } from './ports.ts'

const maximumBytes = 56 * 1024
const maximumDepth = 16

const invalid = (text: string): AppError => new AppError('client-registrations.invalid_request', 400, text)

/** The JSON object of a request, within bounds. Throws `client-registrations.invalid_request` (400). */
export async function readJsonObject(ctx: Context): Promise<Metadata> {
  if (ctx.is('application/json') === false || ctx.get('content-type') === '')
    throw invalid('The metadata must be sent as application/json.')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of ctx.req) {
    length += (chunk as Buffer).length
    if (length > maximumBytes) throw invalid(`The metadata must have at most ${maximumBytes} bytes.`)
    chunks.push(chunk as Buffer)
  }
  const value = parse(Buffer.concat(chunks))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('The metadata must be a JSON object.')
  if (!isShallow(value)) throw invalid('The metadata is nested too deeply.')
  return value as Metadata
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw invalid('The metadata must be valid JSON in UTF-8.')
  }
}

/** Level by level, so that depth costs no stack. */
function isShallow(value: object): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maximumDepth) return false
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
  return true
}
