/**
 * Owns the pages on which a person brings a device to his account: where its code is typed, and what came of it.
 * Does not own what is asked of him in between (login), nor what a code is worth (provider).
 */
import type Router from '@koa/router'
import { AppError } from '../../kernel/errors.ts'
import type { Csrf } from '../csrf.ts'
import type { Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { devicePath, isUserCode, written } from './device-pages.ts'
import { qrPicture } from './qr.ts'

export function deviceRoutes(
  router: Router,
  { issuer }: Pick<PagePorts, 'issuer'>,
  { pages, csrf }: { readonly pages: Pages; readonly csrf: Csrf },
): void {
  // A link or picture brings the code here, and nothing happens by that: not even whether it is one is told.
  router.get(devicePath, (ctx) => {
    const code = written(ctx.query.user_code)
    const asks = isUserCode(code)
    const error = code !== '' && !asks ? ({ key: 'problem.device.unknown' } as const) : undefined
    pages.answer(ctx, 'device/code', { action: devicePath, code, asks, ...(error && { error }) })
  })

  // The protocol reads the form, and checks its token.
  router.post(devicePath, async (ctx, next) => {
    csrf.verifyOrigin(ctx)
    await next()
  })

  router.get(`${devicePath}/qr`, async (ctx) => {
    const code = written(ctx.query.user_code)
    if (!isUserCode(code)) throw notACode()
    const format = ctx.query.format === 'png' ? 'png' : 'svg'
    const address = new URL(`${issuer.href.replace(/\/$/, '')}${devicePath}`)
    address.searchParams.set('user_code', code)
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    ctx.body = await qrPicture(address.href, format)
    ctx.type = format
  })
}

const notACode = (): AppError =>
  new AppError(
    'device.not_a_code',
    400,
    'Name a user code, such as ?user_code=BDWP-HQPK, as the answer to the device authorization request gave it.',
  )
