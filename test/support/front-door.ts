/**
 * A running Latchkey with a person and an application, and the way a person takes through it.
 *
 *     await using door = await openFrontDoor()
 *     const form = await door.begin(visitor)
 *     const callback = await door.signIn(visitor)
 */
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type CreatedClient, type LatchkeyOptions, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { newVisitor, type Page, type Visitor } from './visitor.ts'

export const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
export const grace = {
  email: 'grace@example.test',
  name: 'Grace Hopper',
  password: 'nanoseconds of wire 1906',
}
export const redirectUri = 'http://localhost:9999/callback'

export interface FrontDoorOptions extends LatchkeyOptions {
  readonly client?: Readonly<Record<string, unknown>>
}

export interface FrontDoor extends AsyncDisposable {
  readonly latchkey: RunningLatchkey
  readonly client: CreatedClient
  readonly adaId: string
  readonly verifier: string
  authorizationUrl(params?: Readonly<Record<string, string>>): string
  /** To the first page that asks for something, or to the redirect that leads to the application. */
  begin(visitor: Visitor, params?: Readonly<Record<string, string>>): Promise<Page>
  /** Signs Ada in, and follows to where the application or a further question is. */
  signIn(visitor: Visitor, params?: Readonly<Record<string, string>>): Promise<Page>
  /** A browser in which Ada is signed in at the server's own pages. */
  signedIn(): Promise<Visitor>
}

export async function openFrontDoor({
  client: own = {},
  ...options
}: FrontDoorOptions = {}): Promise<FrontDoor> {
  const latchkey = await startLatchkey(options)
  const adaId = await latchkey.createUser(ada)
  const client = await latchkey.createClient({
    kind: 'web',
    name: 'Shop',
    redirectUris: [redirectUri],
    firstParty: true,
    ...own,
  })
  const verifier = generateRandomCodeVerifier()
  const challenge = await calculatePKCECodeChallenge(verifier)
  const { issuer } = latchkey

  const submit = async (visitor: Visitor, form: Page): Promise<Page> =>
    await visitor.follow(
      await visitor.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )

  const door: FrontDoor = {
    latchkey,
    client,
    adaId,
    verifier,
    authorizationUrl: (params = {}) =>
      `${issuer}/auth?${new URLSearchParams({
        client_id: client.id,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        state: 'a state',
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...params,
      })}`,
    begin: async (visitor, params) => await visitor.follow(await visitor.get(door.authorizationUrl(params))),
    signIn: async (visitor, params) => await submit(visitor, await door.begin(visitor, params)),
    async signedIn() {
      const visitor = newVisitor()
      await submit(
        visitor,
        await visitor.follow(
          await visitor.get(
            `${issuer}/auth?${new URLSearchParams({ client_id: 'latchkey', response_type: 'none', scope: 'openid', redirect_uri: `${issuer}/` })}`,
          ),
        ),
      )
      return visitor
    },
    [Symbol.asyncDispose]: () => latchkey.close(),
  }
  return door
}

/** The path of the interaction that a page belongs to. */
export const interactionPath = (page: Page): string => {
  const found = /^\/interaction\/[\w-]+/.exec(new URL(page.url).pathname)
  if (found === null)
    throw new Error(`${page.url} (${page.status}) is no interaction: ${page.text.slice(0, 300)}`)
  return found[0]
}

/** What was audited, oldest first. */
export const auditOf = async ({ app }: RunningLatchkey) =>
  await app.storage.db.auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] })

/** As an administrator does. */
export async function disableUser({ app }: RunningLatchkey, id: string): Promise<void> {
  const { resource } = app.features.users
  const item = await resource.find(id)
  const disable = resource.actions.find(({ name }) => name === 'disable')
  if (item === undefined || disable === undefined) throw new Error(`The user ${id} cannot be disabled.`)
  await disable.run(item, {}, commandLineActor)
}
