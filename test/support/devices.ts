/**
 * A device without a browser, and a person who types its code into one of his own.
 *
 *     const tv = await registerDevice(latchkey)
 *     const asked = await tv.begin()
 *     await approve(newVisitor(), asked, ada)
 *     const { body } = await tv.poll(asked)
 */
import { type Answer, type Credentials, type Door, type Fields, send } from './application.ts'
import type { RunningLatchkey } from './latchkey.ts'
import { formsOf, type Page, type Visitor } from './visitor.ts'

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** What the server answered to the device (RFC 8628 §3.2). */
export interface Asked {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

/** What of it its owner sees. */
type Shown = Pick<Asked, 'verification_uri_complete'>

interface Options {
  readonly headers?: Fields
  readonly at?: Door
}

export interface Device {
  readonly id: string
  readonly secret: string
  /** The answer to a request for a code. */
  ask(more?: Fields, options?: Options): Promise<Answer>
  /** The same where nothing is expected to go wrong. */
  begin(more?: Fields, options?: Options): Promise<Asked>
  poll(asked: Pick<Asked, 'device_code'>, more?: Fields, options?: Options): Promise<Answer>
  refresh(token: unknown): Promise<Answer>
}

export async function registerDevice(
  latchkey: RunningLatchkey,
  input: Readonly<Record<string, unknown>> = {},
): Promise<Device> {
  const { id, secret } = await latchkey.createClient({
    kind: 'native',
    name: 'Television',
    grantTypes: [deviceGrant, 'refresh_token'],
    ...input,
  })
  const proof: Fields =
    secret === '' ? {} : { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  const post = (path: string, form: Fields, { headers = {}, at = latchkey }: Options): Promise<Answer> =>
    send(at, path, {
      headers: { ...proof, ...headers },
      form: secret === '' ? { client_id: id, ...form } : form,
    })

  const device: Device = {
    id,
    secret,
    ask: (more = {}, options = {}) => post('/device/auth', { scope: 'openid profile', ...more }, options),
    async begin(more, options) {
      const { status, body, text } = await device.ask(more, options)
      if (status !== 200) throw new Error(`No code: ${status} ${text}`)
      return body as unknown as Asked
    },
    poll: ({ device_code }, more = {}, options = {}) =>
      post('/token', { grant_type: deviceGrant, device_code, ...more }, options),
    refresh: (token) => post('/token', { grant_type: 'refresh_token', refresh_token: String(token) }, {}),
  }
  return device
}

/** Sends the code that a link brought, to where something is asked or said. */
export async function enterCode(visitor: Visitor, { verification_uri_complete }: Shown): Promise<Page> {
  const page = await visitor.get(verification_uri_complete)
  return await visitor.follow(await visitor.submit(page, {}, { action: '/device' }))
}

/** Types a code into the empty form. */
export async function typeCode(visitor: Visitor, { issuer }: Door, code: string): Promise<Page> {
  const page = await visitor.get(`${issuer}/device`)
  return await visitor.follow(await visitor.submit(page, { user_code: code }, { action: '/device' }))
}

const asksTo = (page: Page, action: string): boolean =>
  formsOf(page).some((form) => form.action.endsWith(action))

/** From the code to the page that asks whether the device may; signs in where that is asked. */
export async function toApproval(
  visitor: Visitor,
  asked: Shown,
  { email, password }: Credentials,
): Promise<Page> {
  const page = await enterCode(visitor, asked)
  if (!asksTo(page, '/password')) return page
  return await visitor.follow(
    await visitor.submit(page, { identifier: email, password }, { action: '/password' }),
  )
}

/** The whole way of a person who approves. */
export async function approve(visitor: Visitor, asked: Shown, person: Credentials): Promise<Page> {
  const page = await toApproval(visitor, asked, person)
  return await visitor.follow(await visitor.submit(page, {}, { action: '/consent' }))
}

/** The whole way of a person who refuses. */
export async function deny(visitor: Visitor, asked: Asked, person: Credentials): Promise<Page> {
  const page = await toApproval(visitor, asked, person)
  return await visitor.follow(await visitor.submit(page, {}, { action: '/abort' }))
}
