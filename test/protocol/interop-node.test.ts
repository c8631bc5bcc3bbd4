import { expect, it } from 'vitest'
import { startAuthJsApplication } from '../support/interop/auth-js.ts'
import { startPassportApplication } from '../support/interop/passport.ts'
import { freePort, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type Credentials, walkThrough } from '../support/relying-party.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery staple' }

/** Goes from the application's redirect to the issuer's pages and back to where the application then leads. */
async function throughIssuer(visitor: Visitor, page: Page, person: Credentials): Promise<Page> {
  const back = await walkThrough(visitor, page.location ?? '', person)
  return await visitor.follow(await visitor.get(back))
}

/** Signs out at the issuer, to which `page` leads, and answers with where that leads. */
async function leaveIssuer(visitor: Visitor, page: Page): Promise<string | undefined> {
  const asked = await visitor.follow(await visitor.get(page.location ?? ''))
  const left = asked.location === undefined ? await visitor.follow(await visitor.submit(asked)) : asked
  return left.location
}

async function register(latchkey: RunningLatchkey, callback: string) {
  const url = `http://localhost:${await freePort()}`
  const { id, secret } = await latchkey.createClient({
    kind: 'web',
    name: 'Application',
    redirectUris: [`${url}${callback}`],
    postLogoutRedirectUris: [`${url}/`],
  })
  return { issuer: latchkey.issuer, clientId: id, clientSecret: secret, url }
}

it('signs a person in and out of an Express application with Passport', async () => {
  await using latchkey = await startLatchkey()
  await latchkey.createUser(ada)
  await using application = await startPassportApplication(await register(latchkey, '/callback'))
  const visitor = newVisitor()
  expect((await visitor.get(`${application.url}/`)).text).toBe('signed out')

  const home = await throughIssuer(visitor, await visitor.get(`${application.url}/login`), ada)
  expect(home.text).toBe('signed in as ada@example.com')

  // Being asked nothing shows that the session at the issuer is there, and afterwards that it is over.
  const leaving = await visitor.get(`${application.url}/logout`)
  expect(await leaveIssuer(visitor, leaving)).toBe(`${application.url}/`)
  expect((await visitor.get(`${application.url}/`)).text).toBe('signed out')
  const again = await visitor.get(`${application.url}/login`)
  expect((await visitor.follow(await visitor.get(again.location ?? ''))).text).toContain('type="password"')
})

it('refuses at Passport an answer that belongs to another browser', async () => {
  await using latchkey = await startLatchkey()
  await latchkey.createUser(ada)
  await using application = await startPassportApplication(await register(latchkey, '/callback'))
  const visitor = newVisitor()
  const begun = await visitor.get(`${application.url}/login`)
  const back = await walkThrough(visitor, begun.location ?? '', ada)
  expect((await newVisitor().get(back)).status).toBeGreaterThanOrEqual(400)
})

it('signs a person in to an Express application with Auth.js', async () => {
  await using latchkey = await startLatchkey()
  await latchkey.createUser(ada)
  await using application = await startAuthJsApplication(await register(latchkey, '/auth/callback/latchkey'))
  const visitor = newVisitor()
  expect((await visitor.get(`${application.url}/`)).text).toBe('signed out')

  const choices = await visitor.get(`${application.url}/auth/signin`)
  const begun = await visitor.submit(choices, {}, { action: '/signin/latchkey' })
  const home = await throughIssuer(visitor, begun, ada)
  expect(home.text).toBe('signed in as ada@example.com')

  const question = await visitor.get(`${application.url}/auth/signout`)
  const leaving = await visitor.submit(question, { callbackUrl: `${application.url}/leave` })
  expect((await visitor.get(`${application.url}/`)).text).toBe('signed out')
  expect(await leaveIssuer(visitor, await visitor.follow(leaving))).toBe(`${application.url}/`)
})
