import type Router from '@koa/router'
import type { Context } from 'koa'
import { AppError } from '../kernel/errors.ts'
import type { Csrf } from './csrf.ts'
import { refusedForm } from './field-errors.ts'
import { readForm } from './forms.ts'
import { factsOf, type Pages } from './page.ts'
import type { PagePorts } from './ports.ts'
import { seeOther } from './see-other.ts'

const command = 'npx latchkey setup link'
const reasons: Readonly<Record<string, 'missing' | 'expired' | 'used'>> = {
  'setup.link_missing': 'missing',
  'setup.link_expired': 'expired',
  'setup.link_used': 'used',
  'setup.done': 'used',
}

/** `/setup`: makes the first administrator, for whoever holds the one-time link. */
export function setupRoutes(
  router: Router,
  ports: PagePorts,
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
): void {
  const { setup, signIn, passwords } = ports

  const refuse = (ctx: Context, error: unknown): void => {
    const reason = error instanceof AppError ? reasons[error.code] : undefined
    if (reason === undefined) throw error
    explain(ctx, reason)
  }

  const explain = (ctx: Context, reason: 'missing' | 'expired' | 'used'): void => {
    ctx.status = 403
    pages.answer(ctx, 'setup/invalid', { reason, command })
  }

  router.get('/setup', async (ctx) => {
    if (!(await setup.isNeeded())) return ctx.redirect('/')
    const token = typeof ctx.query.token === 'string' ? ctx.query.token : ''
    const state = await setup.linkState(token)
    if (state !== 'valid') return explain(ctx, state)
    pages.answer(ctx, 'setup/form', { action: '/setup', token, minimumLength: passwords.minimumLength })
  })

  router.post('/setup', async (ctx) => {
    const form = await readForm(ctx)
    csrf.verify(ctx, form)
    const { token = '', name = '', email = '', username = '', password = '' } = form
    try {
      await setup.complete(
        { token, email, password, ...(name && { name }), ...(username && { username }) },
        factsOf(ctx),
      )
    } catch (error) {
      const errors = refusedForm(ctx, error, ports.views)
      if (errors === undefined) return refuse(ctx, error)
      return pages.answer(ctx, 'setup/form', {
        action: '/setup',
        token,
        minimumLength: passwords.minimumLength,
        values: { name, email, username },
        errors,
      })
    }
    seeOther(ctx, signIn.signInPath({ loginHint: email || username }))
  })
}
