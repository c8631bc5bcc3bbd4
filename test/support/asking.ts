/** An application that asks for Ada while she is elsewhere (CIBA), and Ada's answer. */
import { type Answer, type Credentials, callback, send } from './application.ts'
import { ada, type FrontDoor, openFrontDoor } from './front-door.ts'
import { newVisitor, type Page, type Visitor } from './visitor.ts'

export const ciba = 'urn:openid:params:grant-type:ciba'
export const outboundAllowed = { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' }

export interface Asking extends AsyncDisposable {
  readonly door: FrontDoor
  readonly id: string
  ask(form?: Readonly<Record<string, string>>): Promise<Answer>
  begin(form?: Readonly<Record<string, string>>): Promise<string>
  poll(authReqId: string, at?: { readonly port: number }): Promise<Answer>
}

export async function bank(
  options: Parameters<typeof openFrontDoor>[0] = {},
  input: Readonly<Record<string, unknown>> = {},
): Promise<Asking> {
  const door = await openFrontDoor(options)
  const { latchkey } = door
  const { id, secret } = await latchkey.createClient({
    kind: 'web',
    name: 'Bank',
    redirectUris: [callback],
    grantTypes: ['authorization_code', 'refresh_token', ciba],
    ...input,
  })
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  const ask: Asking['ask'] = (form = {}) =>
    send(latchkey, '/backchannel', {
      headers,
      form: { scope: 'openid profile', login_hint: ada.email, binding_message: 'W4SCT', ...form },
    })
  return {
    door,
    id,
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
    ask,
    async begin(form) {
      const { status, body, text } = await ask(form)
      if (status !== 200) throw new Error(text)
      return String(body.auth_req_id)
    },
    poll: (authReqId, at) =>
      send({ issuer: latchkey.issuer, ...at }, '/token', {
        headers,
        form: { grant_type: ciba, auth_req_id: authReqId },
      }),
  }
}

type House = Pick<FrontDoor, 'latchkey'>

/** A browser in which somebody is signed in at his account. */
export async function signedInAs({ latchkey }: House, { email, password }: Credentials): Promise<Visitor> {
  const visitor = newVisitor()
  const form = await visitor.follow(await visitor.get(`${latchkey.issuer}/account`))
  await visitor.follow(await visitor.submit(form, { identifier: email, password }, { action: '/password' }))
  return visitor
}

export const applications = (door: House, visitor: Visitor): Promise<Page> =>
  visitor.get(`${door.latchkey.issuer}/account/applications`)

export async function answerPage(door: House, visitor: Visitor): Promise<Page> {
  const [, path = ''] = /href="(\/account\/applications\/approvals\/answer\?id=[^"]+)"/.exec(
    (await applications(door, visitor)).text,
  ) ?? ['', '']
  return await visitor.get(door.latchkey.issuer + path)
}

export async function answer(door: House, visitor: Visitor, act: 'approve' | 'deny'): Promise<Page> {
  const page = await answerPage(door, visitor)
  return await visitor.follow(await visitor.submit(page, {}, { action: `/${act}` }))
}
