import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { issuer, openPeople, type People, request, tally } from '../support/people.ts'

const password = 'seven purple umbrellas'
const fails = (code: string, status: number) => expect.objectContaining({ code, status })

describe('setup', () => {
  let people: People
  beforeEach(async () => {
    people = await openPeople()
  })
  afterEach(() => people[Symbol.asyncDispose]())

  const linkToken = async () => new URL((await people.setup.issueLink()).url).searchParams.get('token') ?? ''
  const form = (token: string, username = 'anna') => ({ token, username, password })

  it('creates the first administrator, who can sign in', async () => {
    expect(await people.setup.isNeeded()).toBe(true)
    const token = await linkToken()
    const user = await people.setup.complete(
      { ...form(token), email: 'Anna@example.com', name: 'Anna' },
      request,
    )
    expect(user).toMatchObject({
      administrator: true,
      email: 'Anna@example.com',
      username: 'anna',
      name: 'Anna',
    })
    expect(await people.setup.isNeeded()).toBe(false)
    expect(await people.signIn('anna@EXAMPLE.com', password)).toMatchObject({ userId: user.id, amr: ['pwd'] })
  })

  it('links to the configured issuer and stores no token', async () => {
    const { url } = await people.setup.issueLink()
    expect(url).toMatch(/^https:\/\/id\.example\.test\/setup\?token=[\w-]{43}$/)
    expect(url.startsWith(issuer)).toBe(true)
    const token = new URL(url).searchParams.get('token') ?? ''
    expect(JSON.stringify(await people.storage.db.setupLink.findMany())).not.toContain(token)
  })

  it('makes one administrator of 20 parallel requests, in two processes', async () => {
    const token = await linkToken()
    const other = await people.openAnother()
    const attempts = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? people : other).setup.complete(form(token, `admin-${index}`), request),
    )
    expect(await tally(attempts)).toEqual({ success: 1, 'setup.link_used': 19 })
    expect(await people.storage.db.user.count()).toBe(1)
    expect(await people.storage.db.password.count()).toBe(1)
  })

  it('makes one administrator of 20 parallel commands', async () => {
    const attempts = Array.from({ length: 20 }, (_, index) =>
      people.setup.createFirstAdministrator({ username: `admin-${index}`, password }, commandLineActor),
    )
    expect(await tally(attempts)).toEqual({ success: 1, 'setup.done': 19 })
    expect(await people.storage.db.user.count()).toBe(1)
  })

  it('makes one administrator when the link and the command race', async () => {
    const token = await linkToken()
    const counts = await tally([
      ...Array.from({ length: 5 }, () => people.setup.complete(form(token, 'by-link'), request)),
      ...Array.from({ length: 5 }, () =>
        people.setup.createFirstAdministrator({ username: 'by-command', password }, commandLineActor),
      ),
    ])
    expect(counts.success).toBe(1)
    expect(await people.users.countAdministrators()).toBe(1)
  })

  it('says of a link whether it is missing, expired or used', async () => {
    const first = await linkToken()
    expect(await people.setup.linkState(first)).toBe('valid')
    expect(await people.setup.linkState(undefined)).toBe('missing')
    expect(await people.setup.linkState('')).toBe('missing')
    const second = await linkToken()
    expect(await people.setup.linkState(first)).toBe('used')
    people.clock.advance(86_399)
    expect(await people.setup.linkState(second)).toBe('valid')
    people.clock.advance(1)
    expect(await people.setup.linkState(second)).toBe('expired')
  })

  it('refuses a link that is missing, expired, replaced or made up', async () => {
    const { setup } = people
    const replaced = await linkToken()
    const token = await linkToken()
    await expect(setup.complete(form(''), request)).rejects.toThrow(fails('setup.link_missing', 400))
    await expect(setup.complete(form(replaced), request)).rejects.toThrow(fails('setup.link_used', 410))
    await expect(setup.complete(form('\0'), request)).rejects.toThrow(fails('setup.link_used', 410))
    people.clock.advance(86_400)
    await expect(setup.complete(form(token), request)).rejects.toThrow(fails('setup.link_expired', 410))
    expect(await people.storage.db.user.count()).toBe(0)
  })

  it('keeps the link when the form was wrong', async () => {
    const token = await linkToken()
    const complete = (own: object) => people.setup.complete({ ...form(token), ...own }, request)
    await expect(complete({ password: 'short' })).rejects.toThrow(fails('passwords.too_short', 400))
    await expect(complete({ password: 'password1' })).rejects.toThrow(fails('passwords.common', 400))
    await expect(complete({ username: 'no spaces' })).rejects.toThrow(fails('users.username_invalid', 400))
    await expect(complete({ email: 'nobody' })).rejects.toThrow(fails('users.email_invalid', 400))
    await expect(complete({ username: '' })).rejects.toThrow(fails('users.identifier_missing', 400))
    expect(await people.storage.db.user.count()).toBe(0)
    await complete({})
  })

  it('is over once there is an administrator', async () => {
    const token = await linkToken()
    await people.setup.createFirstAdministrator({ email: 'anna@example.com', password }, commandLineActor)
    await expect(people.setup.complete(form(token), request)).rejects.toThrow(fails('setup.done', 409))
    await expect(people.setup.issueLink()).rejects.toThrow(fails('setup.done', 409))
    await expect(
      people.setup.createFirstAdministrator({ username: 'ben', password }, commandLineActor),
    ).rejects.toThrow(fails('setup.done', 409))
    expect(await people.storage.db.user.count()).toBe(1)
  })

  it('notices an administrator whom another process made', async () => {
    const other = await people.openAnother()
    expect(await people.setup.isNeeded()).toBe(true)
    await other.setup.createFirstAdministrator({ username: 'anna', password }, commandLineActor)
    expect(await people.setup.isNeeded()).toBe(false)
  })

  it('records who came to be administrator', async () => {
    const user = await people.setup.complete(form(await linkToken()), request)
    const events = await people.storage.db.auditEvent.findMany({ where: { userId: user.id } })
    expect(events.map(({ action, requestId }) => [action, requestId])).toEqual(
      expect.arrayContaining([
        ['users.created', 'request-1'],
        ['setup.completed', 'request-1'],
      ]),
    )
    expect(JSON.stringify(events)).not.toContain(password)
  })

  describe('on the command line', () => {
    const command = (...words: string[]) => {
      const found = people.features.setup.commands?.find((each) => each.words.join() === words.join())
      if (found === undefined) throw new Error(`There is no command ${words.join(' ')}.`)
      return found
    }

    it('creates the administrator with a password from standard input only', async () => {
      const { input, run } = command('setup', 'administrator')
      expect(input.password?.fromStandardInput).toBe(true)
      const answer = await run({ email: 'anna@example.com', password })
      expect(answer.text).toContain('anna@example.com')
      expect(JSON.stringify(answer)).not.toContain(password)
      expect(await people.users.countAdministrators()).toBe(1)
    })

    it('makes a new link', async () => {
      const before = await linkToken()
      const { json, text } = await command('setup', 'link').run({})
      const { url } = json as { url: string }
      expect(text).toContain(url)
      expect(await people.setup.linkState(new URL(url).searchParams.get('token') ?? '')).toBe('valid')
      expect(await people.setup.linkState(before)).toBe('used')
    })
  })
})
