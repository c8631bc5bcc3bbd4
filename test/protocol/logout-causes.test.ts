/** Whatever ends a session, its application is told by the back channel, once; and nobody whose session goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { after } from '../../src/kernel/clock.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { claimsOf, startToldApplication, type ToldApplication } from '../support/told-application.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const by = { actor: commandLineActor }
const chosen = 'a difference of engines 1822'

let latchkey: RunningLatchkey
let clock: FixedClock
let told: ToldApplication
let shop: RelyingParty
let count = 0
beforeAll(async () => {
  clock = movableClock()
  latchkey = await startLatchkey({
    clock,
    environment: {
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true',
      LATCHKEY_PASSKEYS_OFFER: 'false',
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000',
    },
  })
  told = await startToldApplication()
  shop = await relyingParty(latchkey, { firstParty: true, backchannelLogoutUri: told.backchannelLogoutUri })
})
afterAll(async () => {
  await told[Symbol.asyncDispose]()
  await latchkey.close()
})

/** A person with two browsers. What an application calls a session stands behind it. */
interface Situation {
  readonly userId: string
  readonly person: { readonly email: string; readonly password: string }
  readonly here: Visitor
  readonly there: Visitor
}

const get = (visitor: Visitor, path: string): Promise<Page> => visitor.get(latchkey.issuer + path)
const submitted = async (visitor: Visitor, path: string, fields = {}, action = path): Promise<void> => {
  const answer = await visitor.submit(await get(visitor, path), fields, { action })
  expect(answer.status).toBe(303)
}
const sessionOf = async (userId: string, sid: unknown): Promise<string> => {
  const sessions = await latchkey.app.storage.db.artefact.findMany({ where: { model: 'Session', userId } })
  return `ses_${sessions.find(({ payload }) => payload.includes(String(sid)))?.sessionUid}`
}
const features = () => latchkey.app.features

type Ends = 'both' | 'here' | 'there'
type Cause = readonly [
  what: string,
  ends: Ends,
  cause: (situation: Situation, sid: unknown) => Promise<unknown>,
]

const causes: readonly Cause[] = [
  [
    'an administrator ends one session',
    'here',
    async ({ userId }, sid) => features().sessions.sessions.end(await sessionOf(userId, sid), by),
  ],
  ['an administrator ends all', 'both', ({ userId }) => features().sessions.sessions.endAll(userId, by)],
  ['the user is disabled', 'both', ({ userId }) => features().users.users.disable(userId, by)],
  ['the user is deleted', 'both', ({ userId }) => features().users.users.delete(userId, by)],
  ['the person signs out', 'here', ({ here }) => submitted(here, '/account', {}, '/sign-out')],
  [
    'the person ends the other session on the account page',
    'there',
    ({ here }) => submitted(here, '/account/devices', {}, '/sessions/end'),
  ],
  [
    'the person ends all others on the account page',
    'there',
    ({ here }) => submitted(here, '/account/devices', {}, '/sessions/end-others'),
  ],
  [
    'the person changes the password',
    'there',
    ({ here, person }) =>
      submitted(here, '/account/security/password/change', { present: person.password, password: chosen }),
  ],
  [
    'the person resets the password by a link',
    'both',
    async ({ userId }) => {
      const { url } = await features().passwords.passwords.issueLink(userId, 'reset', by)
      await submitted(newVisitor(), url.slice(latchkey.issuer.length), { password: chosen }, '/set-password')
    },
  ],
  [
    'the person asks for the account to be deleted',
    'there',
    ({ here, person }) =>
      submitted(here, '/account/data', { confirmation: person.email }, '/departure/delete'),
  ],
  [
    'the account is deleted after its time',
    'both',
    async ({ here, person }) => {
      await submitted(here, '/account/data', { confirmation: person.email }, '/departure/delete')
      clock.advance(14 * 86_400)
      await features().departures.departures.deleteDue()
    },
  ],
  [
    'the sessions run out',
    'both',
    async () => {
      clock.advance(60 * 86_400)
      await latchkey.app.artefacts.endExpiredSessions()
    },
  ],
]

it.each(causes)('%s', async (_what, ends, cause) => {
  const person = { email: `person${++count}@example.test`, password: `the phrase of person ${count}` }
  const other = { email: `other${count}@example.test`, password: 'somebody else entirely 5' }
  const [userId, otherId] = [await latchkey.createUser(person), await latchkey.createUser(other)]
  const [here, there] = [newVisitor(), newVisitor()]
  await shop.signIn(newVisitor(), other)
  const theirs = (await shop.signIn(there, person)).claims()?.sid
  const mine = (await shop.signIn(here, person)).claims()?.sid
  const [before, began] = [told.got.length, clock.now()]
  await cause({ userId, person, here, there }, mine)
  await features().outbox.worker.drain()
  const said = told.got.slice(before).map(({ token }) => claimsOf(token))
  const sidsOf = (sub: string): readonly unknown[] =>
    said.filter((claims) => claims.sub === sub).map(({ sid }) => sid)
  const expected = { both: [mine, theirs], here: [mine], there: [theirs] }[ends]
  expect(sidsOf(userId).toSorted()).toEqual(expected.toSorted())
  // Time ends the sessions of others, too.
  if (clock.now() <= after(began, 60)) expect(sidsOf(otherId)).toEqual([])
})
