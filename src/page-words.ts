/** The words and pictures of the pages for whoever needs them before there is a page; read when first asked for. */
import { brandOf } from './brand-of.ts'
import type { Config } from './config/config.ts'
import type { RenderMail } from './features/mail/index.ts'
import type { openMailRenderer } from './pages/mail-renderer.ts'

/** Whether there is a message of that name. */
export function messageNames(): (key: string) => Promise<boolean> {
  let opening: Promise<{ has(key: string): boolean }> | undefined
  return async (key) => {
    opening ??= import('./pages/messages.ts').then(({ openMessages }) => openMessages())
    return (await opening).has(key)
  }
}

/** Writes mails. */
export function mailWords(config: Config): RenderMail {
  let opening: Promise<ReturnType<typeof openMailRenderer>> | undefined
  return async (mail) => {
    opening ??= import('./pages/mail-renderer.ts').then((pages) =>
      pages.openMailRenderer({ brand: brandOf(config), issuer: config.issuer }),
    )
    return (await opening)(mail)
  }
}

/** The languages of the pages, each by its own name. */
export const languageNames = async () => (await import('./pages/languages.ts')).languages()
