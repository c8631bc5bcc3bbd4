import type { LinkPage, MailedLink } from '../feature.ts'
import type { Addresses, AddressLink } from './addresses.ts'
import { nameOf } from './delivery.ts'

/** Whoever opens it reads the mailbox; its button confirms, wherever that is. */
export function addressLink(addresses: Addresses): MailedLink {
  const page = ({ user, email, isChange }: AddressLink, template: string): LinkPage => ({
    title: { key: isChange ? 'addresses.link-change-title' : 'addresses.link-title' },
    view: { template, model: { account: nameOf(user), email, isChange } },
  })

  return {
    name: 'address',
    show: async (token) => page(await addresses.readLink(token), 'addresses/link'),
    async finish(token, _input, { request }) {
      const link = await addresses.confirmByLink(token, request)
      return { ...page(link, 'addresses/done'), title: { key: 'addresses.done-title' } }
    },
  }
}
