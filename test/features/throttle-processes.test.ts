import { describe, expect, it } from 'vitest'
import { send, spread } from '../support/application.ts'
import { ada, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { startServerProcess } from '../support/server-process.ts'
import { formsOf, newVisitor, type Visitor } from '../support/visitor.ts'

const wrong = 'not her password 1'

/** A visitor at the form, and the answer to what he types, given by whichever process is asked. */
async function atForm(door: FrontDoor, visitor: Visitor) {
  const page = await door.begin(visitor)
  const form = formsOf(page).find(({ action }) => action.endsWith('/password'))
  const { issuer } = door.latchkey
  return (at: { readonly issuer: string; readonly port?: number }, password: string) =>
    send(at, new URL(form?.action ?? '').pathname, {
      form: { ...form?.fields, identifier: ada.email, password },
      headers: {
        accept: 'text/html',
        origin: new URL(issuer).origin,
        cookie: visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
}

describe('wrong passwords at two processes', () => {
  it('are counted together: of 20 at once as many are looked at as are allowed', async () => {
    await using door = await openFrontDoor()
    const { databaseUrl, issuer } = door.latchkey
    await using other = await startServerProcess({ databaseUrl, issuer })
    const visitors = Array.from({ length: 20 }, () => newVisitor())
    const forms = await Promise.all(visitors.map((visitor) => atForm(door, visitor)))
    const answers = await Promise.all(
      forms.map((give, index) => give(spread([door.latchkey, other], index).at, wrong)),
    )
    const counts = (status: number) => answers.filter((answer) => answer.status === status).length
    expect([counts(401), counts(429)]).toEqual([5, 15])
    const late = await (await atForm(door, newVisitor()))(other, ada.password)
    expect(late.status).toBe(429)
  })

  it('tell the person when to try again, and leave the owner his own browser', async () => {
    await using door = await openFrontDoor()
    const { databaseUrl, issuer } = door.latchkey
    await using other = await startServerProcess({ databaseUrl, issuer })
    const known = await door.signedIn()
    for (let failure = 0; failure < 5; failure += 1)
      await (await atForm(door, newVisitor()))(failure % 2 === 0 ? other : door.latchkey, wrong)
    for (const at of [other, door.latchkey]) {
      const refused = await (await atForm(door, newVisitor()))(at, ada.password)
      expect(refused.status).toBe(429)
      expect(refused.text).toContain('Too many attempts. Wait one minute, then try again.')
      expect(refused.text).toMatch(/role="alert"/)
    }
    const visitor = newVisitor(known.cookies.filter(({ name }) => name.startsWith('latchkey_device')))
    const answer = await (await atForm(door, visitor))(other, ada.password)
    expect(answer.status).toBe(303)
  })
})
