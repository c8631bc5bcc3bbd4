import { fetchUserInfo } from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UserId } from '../../src/kernel/ids.ts'
import { accept, parseInput } from '../../src/kernel/input.ts'
import { movableClock } from '../support/clock.ts'
import { ada, auditOf, type FrontDoor, grace, openFrontDoor } from '../support/front-door.ts'
import { photograph, upload } from '../support/pictures.ts'
import {
  begin,
  codeFor,
  hasArrived,
  registrationForm,
  registrationOpen,
  typeCode,
} from '../support/registering.ts'
import { relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const fields =
  'nickname register, birthdate required, phone_number register, website, address, zip_code:"Post <b>code", department:"Department" register fixed, cost_center:"Cost centre" fixed'
const saving = '/account/profile/fields/save'
const filled = {
  nickname: 'Countess',
  birthdate: '1915-12-10',
  phone_number: '+44 20 7946 0000',
  website: 'https://ada.example',
  address: '12 St James’s Square\r\nLondon',
  zip_code: 'SW1',
}

describe('a profile', () => {
  let door: FrontDoor
  let issuer: string
  let graceId: string
  const clock = movableClock()
  beforeAll(async () => {
    door = await openFrontDoor({
      clock,
      environment: { ...registrationOpen, LATCHKEY_PROFILES_FIELDS: fields },
      client: { scopes: ['openid', 'profile', 'email', 'phone', 'address'] },
    })
    issuer = door.latchkey.issuer
    graceId = await door.latchkey.createUser(grace)
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const storedOf = async (userId: string): Promise<unknown> => {
    const row = await door.latchkey.app.storage.db.profile.findUnique({ where: { userId } })
    return row === null ? undefined : JSON.parse(row.fields)
  }

  async function run(words: string, input: Readonly<Record<string, unknown>>) {
    const commands = door.latchkey.app.features.profiles.commands ?? []
    const command = commands.find((each) => each.words.join(' ') === words)
    if (command === undefined) throw new Error(`There is no command ${words}.`)
    return await command.run(accept(parseInput(command.input, input)))
  }

  async function save(own: Readonly<Record<string, string>>) {
    const visitor = await door.signedIn()
    return await visitor.submit(
      await visitor.get(`${issuer}/account`),
      { ...filled, ...own },
      { action: saving },
    )
  }

  it('is filled in by its person, and shown to him again', async () => {
    expect((await save({})).status).toBe(303)
    const page = await (await door.signedIn()).get(`${issuer}/account`)
    for (const value of [
      'Countess',
      '1915-12-10',
      '+442079460000',
      'https://ada.example',
      'St James’s Square\nLondon',
    ])
      expect(page.text).toContain(value)
    expect(page.text).toContain('Post &lt;b&gt;code')
    expect((await save({ website: '' })).status).toBe(303)
    expect(await storedOf(door.adaId)).not.toHaveProperty('website')
  })

  it('keeps what was typed where a field is refused, and stores none of it', async () => {
    const before = await storedOf(door.adaId)
    const refused = await save({ nickname: 'Duchess', zip_code: 'W1', phone_number: '12' })
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('id="phone_number-error"')
    for (const value of ['Duchess', 'W1']) expect(refused.text).toContain(`value="${value}"`)
    expect((await save({ birthdate: '' })).text).toContain('id="birthdate-error"')
    expect((await save({ website: 'javascript:alert(1)' })).status).toBe(400)
    expect(await storedOf(door.adaId)).toEqual(before)
  })

  it('holds nothing that its person may not set, and none of somebody else', async () => {
    const saved = await save({
      department: 'Directors',
      sub: graceId,
      userId: graceId,
      user_id: graceId,
      gender: 'x',
    })
    expect(saved.status).toBe(303)
    const stored = await storedOf(door.adaId)
    for (const name of ['department', 'sub', 'userId', 'gender']) expect(stored).not.toHaveProperty(name)
    expect(await storedOf(graceId)).toBeUndefined()
  })

  it('is refused whole with a NUL or a field given twice', async () => {
    const before = await storedOf(door.adaId)
    const visitor = await door.signedIn()
    const page = await visitor.get(`${issuer}/account`)
    const answer = await visitor.submit(page, { ...filled, nickname: 'a\0b' }, { action: saving })
    expect(answer.status).toBe(400)
    expect(await storedOf(door.adaId)).toEqual(before)
  })

  it('loses nothing when it is changed from many sides at once', async () => {
    const { commands = [] } = door.latchkey.app.features.profiles
    const set = commands.find(({ words }) => words.includes('set'))
    const sides = ['nickname', 'website', 'zip_code', 'department', 'cost_center']
    const values = Object.fromEntries(
      sides.map((name) => [name, name === 'website' ? 'https://x.example' : `of ${name}`]),
    )
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => sides[index % sides.length] ?? '').map((field) =>
        set?.run({ user: grace.email, field, value: values[field] }),
      ),
    )
    expect(await storedOf(graceId)).toEqual(values)
  })

  it('is told to applications by the scopes that they were given', async () => {
    await save({})
    await run('profiles set', { user: ada.email, field: 'department', value: 'Engines' })
    const visitor = await door.signedIn()
    await upload(visitor, await visitor.get(`${issuer}/account`), await photograph())
    const shop = await relyingParty(door.latchkey, {
      firstParty: true,
      scopes: ['openid', 'profile', 'email', 'phone', 'address'],
    })
    const claimsWith = async (scope: string) => {
      const tokens = await shop.signIn(newVisitor(), ada, { scope })
      return await fetchUserInfo(shop.configuration, tokens.access_token, door.adaId)
    }
    const everything = await claimsWith('openid profile email phone address')
    expect(everything).toMatchObject({
      name: ada.name,
      nickname: 'Countess',
      birthdate: '1915-12-10',
      website: 'https://ada.example',
      phone_number: '+442079460000',
      phone_number_verified: false,
      address: { formatted: '12 St James’s Square\nLondon' },
      zip_code: 'SW1',
      department: 'Engines',
      picture: expect.stringMatching(new RegExp(`^${issuer}/picture/[\\w-]{22}$`)),
    })
    expect((await fetch(String(everything.picture))).status).toBe(200)
    expect(Object.keys(await claimsWith('openid'))).toEqual(['sub'])
    expect(Object.keys(await claimsWith('openid phone')).toSorted()).toEqual([
      'phone_number',
      'phone_number_verified',
      'sub',
    ])
    expect(Object.keys(await claimsWith('openid address')).toSorted()).toEqual(['address', 'sub'])
    const profile = await claimsWith('openid profile')
    expect(profile).not.toHaveProperty('phone_number')
    expect(profile).not.toHaveProperty('address')
    expect(profile).not.toHaveProperty('cost_center')
    const { claims } = door.latchkey.app.features.profiles
    const socket = (...scopes: readonly string[]) =>
      claims.claims({ userId: door.adaId as UserId, scopes: new Set(scopes) })
    expect(await socket('openid', 'email')).toEqual({})
    expect(Object.keys(await socket('phone'))).toEqual(['phone_number', 'phone_number_verified'])
    expect(Object.keys(await socket('address'))).toEqual(['address'])
    expect(await socket('profile')).not.toHaveProperty('phone_number')
    const discovered = shop.configuration.serverMetadata()
    expect(discovered.scopes_supported).toEqual(expect.arrayContaining(['phone', 'address']))
    expect(discovered.claims_supported).toEqual(
      expect.arrayContaining(['name', 'nickname', 'picture', 'department', 'phone_number', 'address']),
    )
  })

  it('that has changed is told at once, with when', async () => {
    const shop = await relyingParty(door.latchkey, { firstParty: true })
    const { access_token: token } = await shop.signIn(newVisitor(), ada)
    const told = () => fetchUserInfo(shop.configuration, token, door.adaId)
    const before = await told()
    clock.advance(60)
    await run('profiles set', { user: ada.email, field: 'department', value: 'Poetry' })
    const after = await told()
    expect([before.department, after.department]).toEqual(['Engines', 'Poetry'])
    expect(Number(after.updated_at) - Number(before.updated_at)).toBeGreaterThanOrEqual(60)
    expect((await auditOf(door.latchkey)).at(-1)).toMatchObject({
      action: 'users.updated',
      userId: door.adaId,
    })
  })

  it('asks a new person for what is to be asked, and keeps it with the account', async () => {
    const visitor = newVisitor()
    const form = await registrationForm(door, visitor)
    for (const name of ['nickname', 'birthdate', 'phone_number', 'department'])
      expect(form.text).toContain(`name="${name}"`)
    for (const name of ['website', 'address', 'zip_code', 'cost_center'])
      expect(form.text).not.toContain(`name="${name}"`)
    const email = 'new@example.test'
    const given = { email, name: 'Nora New', nickname: 'Nono', birthdate: '1990-01-02', department: 'Sales' }
    const refused = await begin(door, newVisitor(), { ...given, birthdate: '' })
    expect(refused.text).toContain('id="birthdate-error"')
    expect(refused.text).toContain('Nono')
    const sent = await begin(door, visitor, given)
    expect(hasArrived(await typeCode(visitor, sent, await codeFor(door, email)))).toBe(true)
    const user = await door.latchkey.app.storage.db.user.findUniqueOrThrow({ where: { emailKey: email } })
    expect(user.name).toBe('Nora New')
    expect(await storedOf(user.id)).toEqual({
      nickname: 'Nono',
      birthdate: '1990-01-02',
      department: 'Sales',
    })
  })

  it('is shown and changed by the command line, and its picture removed', async () => {
    await expect(run('profiles show', { user: 'nobody' })).rejects.toMatchObject({
      code: 'users.not_found',
    })
    await expect(run('profiles set', { user: ada.email, field: 'sub', value: 'x' })).rejects.toMatchObject({
      code: 'profiles.field_unknown',
    })
    await expect(
      run('profiles set', { user: ada.email, field: 'birthdate', value: 'yesterday' }),
    ).rejects.toMatchObject({ code: 'profiles.date_invalid' })
    await run('profiles set', { user: ada.email, field: 'birthdate', value: '' })
    const shown = await run('profiles show', { user: door.adaId })
    expect(shown.json).toMatchObject({ user: door.adaId, fields: { birthdate: null, department: 'Poetry' } })
    expect(shown.text).toContain('department  Poetry')
    expect((await run('profiles remove-picture', { user: ada.email })).json).toEqual({ removed: true })
    expect((await run('profiles remove-picture', { user: ada.email })).json).toEqual({ removed: false })
  })

  it('goes into the copy of a person’s data, and goes with him', async () => {
    const { profiles, users } = door.latchkey.app.features
    const visitor = newVisitor()
    const form = await visitor.follow(await visitor.get(`${issuer}/account`))
    const signedIn = await visitor.submit(
      form,
      { identifier: grace.email, password: grace.password },
      { action: '/password' },
    )
    await upload(visitor, await visitor.follow(signedIn), await photograph())
    const copy = await profiles.export?.(graceId as UserId)
    expect(copy).toMatchObject({
      fields: { nickname: 'of nickname' },
      picture: { address: expect.stringContaining(`${issuer}/picture/`) },
    })
    await users.users.delete(graceId, { actor: { kind: 'system' } })
    const { db } = door.latchkey.app.storage
    expect([await db.profile.count({ where: { userId: graceId } }), await db.picture.count()]).toEqual([0, 0])
  })
})

describe('a profile of a server where nothing is configured', () => {
  it('has names, a picture and a language, and no scopes of its own', async () => {
    await using door = await openFrontDoor()
    const page = await (await door.signedIn()).get(`${door.latchkey.issuer}/account`)
    expect(page.text).toContain('name="given_name"')
    expect(page.text).not.toContain('/profile/fields/')
    const discovery = await fetch(`${door.latchkey.issuer}/.well-known/openid-configuration`)
    const { scopes_supported: scopes } = (await discovery.json()) as { scopes_supported: readonly string[] }
    expect(scopes).not.toContain('phone')
    expect(scopes).not.toContain('address')
  })
})
