import { hashSecret, isSecret } from '../../kernel/ids.ts'
import { groupedCode } from '../../kernel/mailed-codes.ts'
import type { LinkPage, LinkVisit, MailedLink } from '../feature.ts'
import { linkEnded, type SentCode, type SentLink } from './email-codes.ts'
import type { Memory } from './memory.ts'
import type { Origins } from './origins.ts'

export interface LinkDependencies {
  readonly memory: Memory
  readonly origins: Origins
}

interface Opened {
  readonly link: SentLink
  readonly sent: SentCode
}

/**
 * Proves nothing by itself. In the browser of the sign-in its button leads into that sign-in, whose own cookie and form
 * decide; in any other it shows the code, so that nobody signs in whoever sent him the link.
 */
export function emailCodeLink({ memory, origins }: LinkDependencies): MailedLink {
  async function open(token: string): Promise<Opened> {
    if (!isSecret(token)) throw linkEnded()
    const link = await memory.link(hashSecret(token))
    const sent = link === undefined ? undefined : await memory.code(link.attemptId)
    if (link === undefined || sent === undefined || sent.id !== link.codeId) throw linkEnded()
    return { link, sent }
  }

  async function page({ link, sent }: Opened, visit: LinkVisit): Promise<LinkPage> {
    const begun = await origins(link)
    if (isHere(link, visit)) {
      const view = { template: 'email-codes/link-here', model: { ...begun } }
      return { title: { key: 'email-codes.here-title' }, view }
    }
    const model = { ...begun, code: groupedCode(sent.code) }
    const view = { template: 'email-codes/link-elsewhere', model }
    return { title: { key: 'email-codes.elsewhere-title' }, view }
  }

  return {
    name: 'email-code',
    show: async (token, visit) => await page(await open(token), visit),
    async finish(token, _input, visit) {
      const opened = await open(token)
      const { attemptId, codeId, path } = opened.link
      if (!isHere(opened.link, visit)) return await page(opened, visit)
      await memory.open(attemptId, { codeId, token })
      return { to: `${path}/email-code` }
    },
  }
}

/** The browser in which the sign-in waits, as far as its device cookie tells; the sign-in itself asks for more. */
const isHere = ({ device }: SentLink, visit: LinkVisit): boolean =>
  device !== undefined && visit.device !== undefined && hashSecret(visit.device) === device
