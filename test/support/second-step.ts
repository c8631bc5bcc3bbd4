/**
 * A running Latchkey, and what a person does on its pages who signs in in two steps.
 *
 *     await using house = await openSecondStep()
 *     const { visitor } = await house.atAccount(ada)
 *     const key = await house.addApp(visitor)
 *     const page = await house.atSecondStep(newVisitor())
 */
import { commandLineActor } from '../../src/kernel/http.ts'
import { type FixedClock, movableClock } from './clock.ts'
import { ada, type FrontDoor, type FrontDoorOptions, openFrontDoor } from './front-door.ts'
import { codeOf } from './second-factors.ts'
import { formsOf, newVisitor, type Page, type Visitor } from './visitor.ts'

interface Person {
  readonly email: string
  readonly password: string
}

export interface SecondStep extends FrontDoor {
  readonly clock: FixedClock
  /** Past what is only offered, to where the sign-in goes on or ends. */
  onward(visitor: Visitor, page: Page): Promise<Page>
  /** Signs the person in on the way to a page of his account. */
  atAccount(person: Person, path?: string): Promise<{ readonly visitor: Visitor; readonly page: Page }>
  account(visitor: Visitor, path: string): Promise<Page>
  /** Adds an app on the account's pages; its next code is a new one. */
  addApp(visitor: Visitor, name?: string): Promise<string>
  /** Makes recovery codes on the account's pages. */
  makeCodes(visitor: Visitor): Promise<readonly string[]>
  /** Gives the password in the sign-in to the shop. */
  atSecondStep(visitor: Visitor, params?: Readonly<Record<string, string>>, person?: Person): Promise<Page>
  codeNow(key: string): string
}

/** The key that a page shows for typing. */
export const keyOn = ({ text, url }: Page): string => {
  const key = /<code class="command"[^>]*>([A-Z2-7 ]+)</.exec(text)?.[1]?.replaceAll(' ', '')
  if (key === undefined) throw new Error(`There is no key on ${url}: ${text.slice(0, 500)}`)
  return key
}

/** The recovery codes that a page shows. */
export const codesOn = ({ text }: Page): readonly string[] =>
  [...text.matchAll(/<code>((?:[0-9A-Z]{4}-){5}[0-9A-Z]{4})<\/code>/g)].map(([, code = '']) => code)

export async function openSecondStep(options: FrontDoorOptions = {}): Promise<SecondStep> {
  const clock = movableClock()
  const door = await openFrontDoor({ clock, ...options })
  const { issuer, app } = door.latchkey
  // Until there is an administrator every way leads to the set-up.
  await app.features.setup.setup.createFirstAdministrator(
    { email: 'root@example.test', password: 'the keys of the house 1' },
    commandLineActor,
  )

  const account = (visitor: Visitor, path: string) => visitor.get(`${issuer}/account/${path}`)
  const givePassword = async (visitor: Visitor, form: Page, { email, password }: Person) =>
    await onward(
      visitor,
      await visitor.submit(form, { identifier: email, password }, { action: '/password' }),
    )

  return {
    ...door,
    clock,
    onward,
    account,
    codeNow: (key) => codeOf(key, clock.now()),
    async atAccount(person, path = 'security') {
      const visitor = newVisitor()
      const form = await visitor.follow(await account(visitor, path))
      return { visitor, page: await givePassword(visitor, form, person) }
    },
    async addApp(visitor, name = 'Phone') {
      const page = await account(visitor, 'security/totp/add')
      const key = keyOn(page)
      const form = { code: codeOf(key, clock.now()), name }
      const added = await visitor.submit(page, form, { action: '/totp/add' })
      if (added.status !== 303) throw new Error(`The app was not added (${added.status}): ${added.text}`)
      clock.advance(60)
      return key
    },
    async makeCodes(visitor) {
      const page = await account(visitor, 'security/recovery-codes/make')
      await visitor.submit(page, { saved: 'yes' }, { action: '/recovery-codes/make' })
      return codesOn(page)
    },
    atSecondStep: async (visitor, params = {}, person = ada) =>
      await givePassword(visitor, await door.begin(visitor, params), person),
  }
}

async function onward(visitor: Visitor, from: Page): Promise<Page> {
  let page = await visitor.follow(from)
  while (formsOf(page).some(({ action }) => action.endsWith('/then/passkeys')))
    page = await visitor.follow(await visitor.submit(page, { answer: 'later' }, { action: '/then/passkeys' }))
  return page
}
