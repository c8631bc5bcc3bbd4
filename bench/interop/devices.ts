/** A person who types a device's code into the hosted page and allows what is asked. */
import { formsOf, type Visitor } from '../../test/support/visitor.ts'
import { person } from './ground.ts'

export async function allowDevice(visitor: Visitor, issuer: string, code: string): Promise<void> {
  const typing = await visitor.get(`${issuer}/device`)
  let page = await visitor.follow(await visitor.submit(typing, { user_code: code }))
  for (let pages = 0; formsOf(page).length > 0 && pages < 5; pages += 1) {
    const fields = page.text.includes('type="password"')
      ? { identifier: person.email, password: person.password }
      : {}
    page = await visitor.follow(await visitor.submit(page, fields))
  }
}
