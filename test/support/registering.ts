/**
 * How a person without an account makes one over HTTP.
 *
 *     await using door = await openFrontDoor({ environment: { ...registrationOpen } })
 *     const sent = await begin(door, visitor, { email, password })
 *     const arrived = await typeCode(door, visitor, sent)
 */
import type { FrontDoor } from './front-door.ts'
import type { ReceivedMail } from './latchkey.ts'
import { newVisitor, type Page, type Visitor } from './visitor.ts'

/** Nothing is offered after the sign-in, so that it ends at the application. */
export const registrationOpen = { LATCHKEY_REGISTRATIONS_MODE: 'open', LATCHKEY_PASSKEYS_OFFER: 'false' }

export const newPassword = 'seven purple umbrellas'

type Fields = Readonly<Record<string, string>>

/** The form of a new account. */
export const registrationForm = async (door: FrontDoor, visitor: Visitor): Promise<Page> =>
  await door.begin(visitor, { prompt: 'create' })

/** Fills it in; the page that comes of it. */
export const begin = async (door: FrontDoor, visitor: Visitor, fields: Fields): Promise<Page> =>
  await visitor.follow(
    await visitor.submit(
      await registrationForm(door, visitor),
      { password: newPassword, ...fields },
      { action: '/register' },
    ),
  )

/** The newest mail to an address. */
export const mailTo = async ({ latchkey }: FrontDoor, address: string): Promise<ReceivedMail | undefined> =>
  (await latchkey.mails()).findLast(({ to }) => to === address)

export const codeFor = async (door: FrontDoor, address: string): Promise<string> =>
  (await mailTo(door, address))?.code ?? ''

/** Types a code on the page that asks for it, and follows. */
export const typeCode = async (visitor: Visitor, page: Page, code: string): Promise<Page> =>
  await visitor.follow(await visitor.submit(page, { code }, { action: '/code' }))

export const usersWith = async ({ latchkey }: FrontDoor, email: string): Promise<number> =>
  await latchkey.app.storage.db.user.count({ where: { emailKey: email.toLowerCase() } })

export const hasArrived = (page: Page): boolean =>
  page.location?.startsWith('http://localhost:9999/callback?code=') === true

/** Whether the password signs somebody in at the application. */
export async function signsIn(door: FrontDoor, email: string, password: string): Promise<boolean> {
  const visitor = newVisitor()
  const form = await door.begin(visitor)
  const answer = await visitor.submit(form, { identifier: email, password }, { action: '/password' })
  return hasArrived(await visitor.follow(answer))
}
