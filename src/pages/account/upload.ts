import type { Context } from 'koa'
import type { Panel, UploadedFile } from '../../features/feature.ts'
import { AppError } from '../../kernel/errors.ts'
import { addField } from '../forms.ts'
import { baseOf } from './finding.ts'

/** What a form needs around its file. */
const overheadBytes = 64 * 1024

/** How large the body of a request may be where it is a form with a file; `undefined` for every other request. */
export function uploadBytes(panels: readonly Panel[]): (ctx: Context) => number | undefined {
  const limits = new Map<string, number>(
    panels.flatMap((panel) =>
      Object.entries(panel.acts ?? {}).flatMap(([name, { fileBytes }]) =>
        fileBytes === undefined ? [] : [[`${baseOf(panel)}/${name}`, fileBytes + overheadBytes] as const],
      ),
    ),
  )
  return (ctx) => {
    // Asked of every request, so the cheapest comes first.
    const limit = limits.get(ctx.path)
    return limit !== undefined && ctx.method === 'POST' && ctx.is('multipart/form-data') ? limit : undefined
  }
}

export interface Upload {
  readonly form: Readonly<Record<string, string>>
  /** `undefined` where none was chosen. */
  readonly file: UploadedFile | undefined
}

const malformed = (): AppError =>
  new AppError('host.malformed_form', 400, 'The form is damaged or holds more than one file. Send it again.')

/** A form with at most one file (RFC 7578). Throws 400 for a malformed one, 413 for a larger file, 415 for another kind of form. */
export async function readUpload(ctx: Context, fileBytes: number): Promise<Upload> {
  if (!ctx.is('multipart/form-data'))
    throw new AppError('host.wrong_content_type', 415, 'Send the form as multipart/form-data.')
  const form: Record<string, string> = Object.create(null) as Record<string, string>
  const files: File[] = []
  for (const [name, value] of await parsed(ctx)) {
    if (typeof value !== 'string') files.push(value)
    else if (value.includes('\0')) throw malformed()
    else addField(form, name, value)
  }
  const [file, ...more] = files.filter(({ size }) => size > 0)
  if (more.length > 0) throw malformed()
  if (file !== undefined && file.size > fileBytes)
    throw new AppError('host.body_too_large', 413, `The file is larger than ${fileBytes} bytes.`)
  return {
    form,
    file: file && { body: Buffer.from(await file.arrayBuffer()), type: file.type },
  }
}

async function parsed(ctx: Context): Promise<FormData> {
  const body = await bodyOf(ctx)
  const headers = { 'content-type': ctx.get('Content-Type') }
  try {
    return await new Response(body, { headers }).formData()
  } catch {
    throw malformed()
  }
}

/** The host hands it over in one piece, bounded by `uploadBytes`. */
async function bodyOf(ctx: Context): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false }))
    chunks.push(chunk as Uint8Array<ArrayBuffer>)
  const [only, ...more] = chunks
  return only !== undefined && more.length === 0 ? only : Buffer.concat(chunks)
}
