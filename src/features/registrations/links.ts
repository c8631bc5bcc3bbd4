import { groupedCode } from '../../kernel/mailed-codes.ts'
import type { LinkPage, LinkVisit, MailedLink } from '../feature.ts'
import type { Awaiting, SentLink } from './awaiting.ts'
import { linkEnded } from './registrations.ts'

/**
 * The link beside the code. It makes no account and signs nobody in: in the browser in which the account is made it goes
 * on there, in any other it shows the code to be typed.
 */
export function registrationLink(awaiting: Awaiting): MailedLink {
  const get = async (token: string): Promise<SentLink> => {
    const link = await awaiting.link(token)
    if (link === undefined) throw linkEnded()
    return link
  }
  return {
    name: 'registration',
    show: async (token, visit) => pageOf(await get(token), visit),
    async finish(token, _input, visit) {
      const link = await get(token)
      if (!isHere(link, visit)) return pageOf(link, visit)
      await awaiting.opened(link)
      return { to: `${link.path}/register/code` }
    },
  }
}

const isHere = ({ device }: SentLink, visit: LinkVisit): boolean =>
  device !== undefined && device === visit.device

const pageOf = (link: SentLink, visit: LinkVisit): LinkPage => ({
  title: { key: 'registration.link-title' },
  view: {
    template: 'registrations/link',
    model: { here: isHere(link, visit), code: groupedCode(link.code) },
  },
})
