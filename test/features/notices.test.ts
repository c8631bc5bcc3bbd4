import { describe, expect, it } from 'vitest'
import { after } from '../../src/kernel/clock.ts'
import { hashSecret, type UserId } from '../../src/kernel/ids.ts'
import { openPost, type Post } from '../support/post.ts'

const request = {
  requestId: 'request-1',
  address: '192.0.2.1',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0',
}
const password = 'password-changed'

const mails = async (post: Post) => {
  await post.deliver()
  return await post.inbox()
}

describe('a notice', () => {
  it('says what was changed, when, and from where, and what to do', async () => {
    await using post = await openPost()
    const userId = await post.person('anna@example.test', { zoneinfo: 'Europe/Vienna' })
    await post.storage.transaction((db) => post.notices.tell(db, { userId, what: password, request }))
    const [mail, ...others] = await mails(post)
    expect(others).toEqual([])
    expect(mail).toMatchObject({ to: 'anna@example.test', link: 'https://id.example.test/account/security' })
    expect(mail?.text).toContain('The password of your account was changed.')
    expect(mail?.text).toMatch(/When: January 1, 2026 at 1:00\sPM/)
    expect(mail?.text).toContain('From: Firefox on Linux')
    expect(mail?.text).toContain('If it was not')
    expect(mail?.text).not.toContain('192.0.2.1')
  })

  it('takes parameters, which are text and nothing else', async () => {
    await using post = await openPost()
    const userId = await post.person('anna@example.test')
    const params = { name: '<b>key</b>\nwww.evil.test' }
    await post.storage.transaction((db) => post.notices.tell(db, { userId, what: 'passkey-added', params }))
    const [mail] = await mails(post)
    expect(mail?.html).not.toContain('<b>')
    expect(mail?.text).not.toMatch(/www\.evil|^www/m)
  })

  it('is in the language of the person, else in that of the page', async () => {
    await using post = await openPost()
    const chosen = await post.person('chosen@example.test', { locale: 'de-AT' })
    const none = await post.person('none@example.test')
    await post.storage.transaction(async (db) => {
      for (const userId of [chosen, none])
        await post.notices.tell(db, { userId, what: password, locale: 'fr' })
    })
    const languages = (await mails(post)).map(({ to, html }) => [to, /lang="([^"]+)"/.exec(html)?.[1]])
    expect(Object.fromEntries(languages)).toEqual({ 'chosen@example.test': 'de', 'none@example.test': 'fr' })
  })

  it('goes to the addresses that are named, each once, and to nobody who has none', async () => {
    await using post = await openPost()
    const userId = await post.person('new@example.test')
    const silent = await post.person(null)
    const to = ['old@example.test', 'new@example.test', 'old@example.test']
    await post.storage.transaction(async (db) => {
      await post.notices.tell(db, { userId, what: password, to })
      await post.notices.tell(db, { userId: silent, what: password })
      await post.notices.tell(db, { userId: 'gone', what: password, to: ['gone@example.test'] })
    })
    expect((await mails(post)).map((mail) => mail.to).toSorted()).toEqual([
      'gone@example.test',
      'new@example.test',
      'old@example.test',
    ])
  })

  it('is undone with its change', async () => {
    await using post = await openPost()
    const userId = await post.person('anna@example.test')
    const undone = post.storage.transaction(async (db) => {
      await post.notices.credentialsChanged(db, { userId, what: password })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await mails(post)).toEqual([])
  })

  it('does not stop a change where mail cannot be sent', async () => {
    await using post = await openPost({ development: false })
    const userId = await post.person('anna@example.test')
    await post.storage.transaction((db) => post.notices.credentialsChanged(db, { userId, what: password }))
    expect(post.forgotten).toEqual([userId])
  })
})

describe('a change of credentials', () => {
  /** Two sessions with a token each, a sign-in under way in each of two browsers, and somebody else's of each. */
  async function signedIn(post: Post) {
    const [anna, eve] = [await post.person('anna@example.test'), await post.person('eve@example.test')]
    const expiresAt = after(post.clock.now(), 3_600)
    for (const [userId, name] of [
      [anna, 'here'],
      [anna, 'there'],
      [eve, 'eve'],
    ] as const) {
      const common = { userId, payload: '{}', createdAt: post.clock.now(), expiresAt }
      const authorizations = { client: { grantId: `grant-${name}` } }
      await post.storage.db.artefact.createMany({
        data: [
          {
            ...common,
            model: 'Session',
            id: `s-${name}`,
            sessionUid: name,
            payload: JSON.stringify({ authorizations }),
          },
          { ...common, model: 'Grant', id: hashSecret(`grant-${name}`) },
          { ...common, model: 'AccessToken', id: `t-${name}`, grantId: `grant-${name}` },
          { ...common, model: 'Interaction', id: hashSecret(`i-${name}`) },
        ],
      })
      const at = post.clock.now()
      const proof = { factor: 'password', userId: userId as UserId, amr: ['pwd'], at, epoch: '' }
      await post.attempts.attempts.add(hashSecret(`i-${name}`), proof)
      const challenge = { userId: userId as UserId, state: {}, ttlSeconds: 600 }
      await post.attempts.challenges.put(hashSecret(name), 'test', challenge)
    }
    return { anna, eve }
  }

  async function left(post: Post) {
    const { db } = post.storage
    const artefacts = await db.artefact.findMany({ select: { id: true } })
    const attempts = await db.signInAttempt.findMany({ select: { id: true } })
    const challenges = await db.challenge.findMany({
      where: { userId: { not: null } },
      select: { owner: true },
    })
    return {
      artefacts: artefacts.map(({ id }) => id).toSorted(),
      attempts: attempts.map(({ id }) => id).toSorted(),
      challenges: challenges.map(({ owner }) => owner).toSorted(),
    }
  }

  const of = (...names: readonly string[]) => ({
    artefacts: names
      .flatMap((name) => [`s-${name}`, hashSecret(`grant-${name}`), `t-${name}`])
      .concat(names.map((name) => hashSecret(`i-${name}`)))
      .toSorted(),
    attempts: names.map((name) => hashSecret(`i-${name}`)).toSorted(),
    challenges: names.map((name) => hashSecret(name)).toSorted(),
  })

  it('ends everything of the person, and nothing of anybody else', async () => {
    await using post = await openPost()
    const { anna } = await signedIn(post)
    expect(await left(post)).toEqual(of('here', 'there', 'eve'))
    await post.storage.transaction((db) =>
      post.notices.credentialsChanged(db, { userId: anna, what: password }),
    )
    expect(await left(post)).toEqual(of('eve'))
    expect(post.forgotten).toEqual([anna])
    expect((await mails(post)).map(({ to }) => to)).toEqual(['anna@example.test'])
  })

  it('keeps the session and the sign-in in which it was made', async () => {
    await using post = await openPost()
    const { anna } = await signedIn(post)
    const keep = { sessionUid: 'here', interactionUid: 'i-here' }
    await post.storage.transaction((db) =>
      post.notices.credentialsChanged(db, { userId: anna, what: password, keep }),
    )
    expect(await left(post)).toEqual(of('here', 'eve'))
    expect(post.forgotten).toEqual([anna])
  })

  it('keeps nothing where it is told of nothing', async () => {
    await using post = await openPost()
    const { anna } = await signedIn(post)
    await post.storage.transaction((db) =>
      post.notices.credentialsChanged(db, { userId: anna, what: password, keep: {} }),
    )
    expect(await left(post)).toEqual(of('eve'))
  })
})
