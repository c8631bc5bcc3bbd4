import type { Context } from 'koa'
import { AppError } from '../kernel/errors.ts'

/** The fields of a posted form. Throws 400 for a field given twice and 415 for another content type. */
export async function readForm(ctx: Context): Promise<Readonly<Record<string, string>>> {
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new AppError('host.wrong_content_type', 415, 'Send the form as application/x-www-form-urlencoded.')
  }
  const chunks: Buffer[] = []
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer)
  const fields = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
  const form: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of fields) {
    addField(form, name, value)
  }
  return form
}

/** What of a refused form is shown again: nothing of what is a secret by its name. */
export const repeatable = (form: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(form).filter(([name]) => !/password|secret|token|^code$|-code$/i.test(name)),
  )

/** Throws 400 for a field given twice. */
export function addField(form: Record<string, string>, name: string, value: string): void {
  if (name in form)
    throw new AppError('host.repeated_field', 400, `The field ${name.slice(0, 40)} was sent twice.`)
  form[name] = value
}
