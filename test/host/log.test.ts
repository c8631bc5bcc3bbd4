import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ada, interactionPath, openFrontDoor, redirectUri } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'
import { exchange } from '../support/wire.ts'

/** What a process that logs so writes to its standard output. */
const written = async (script: string, options: string): Promise<string> => {
  const source = `import { openLog } from './src/host/log.ts'; const { log, flush } = await openLog(${options}); ${script}; flush()`
  return (
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source], {
      cwd: `${import.meta.dirname}/../..`,
    })
  ).stdout
}

describe('the log', () => {
  it('of a whole sign-in holds no password, token, code, cookie or secret', async () => {
    await using door = await openFrontDoor({
      client: { firstParty: false, postLogoutRedirectUris: ['http://localhost:9999/bye'] },
    })
    const { latchkey, client } = door
    const { issuer } = latchkey
    const secrets: string[] = [ada.password, client.secret, door.verifier]
    const visitor = newVisitor()
    const form = await door.begin(visitor)
    await visitor.submit(
      form,
      { identifier: ada.email, password: 'a-wrong-password-of-hers' },
      { action: '/password' },
    )
    await visitor.submit(
      form,
      { identifier: 'a-password-in-the-wrong-field', password: 'x' },
      { action: '/password' },
    )
    const consent = await visitor.follow(
      await visitor.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    const callback = await visitor.follow(await visitor.submit(consent, {}, { action: '/consent' }))
    const code = new URL(callback.location ?? '').searchParams.get('code') ?? ''
    const token = (fields: Record<string, string>, secret = client.secret) =>
      fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${client.id}:${secret}`)}` },
        body: new URLSearchParams(fields),
      })
    const exchangeCode = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: door.verifier,
    }
    await token({ ...exchangeCode, code: 'a-code-that-is-none' })
    await token(exchangeCode, 'a-client-secret-that-is-none')
    const tokens = (await (await token(exchangeCode)).json()) as Record<string, string>
    expect(tokens.access_token).toBeDefined()
    await token(exchangeCode) // a replay
    await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    await fetch(`${issuer}/me`, { headers: { authorization: 'Bearer an-access-token-that-is-none' } })
    await fetch(`${issuer}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
      body: new URLSearchParams({ token: tokens.access_token ?? '' }),
    })
    const setupLink = (await latchkey.app.features.setup.setup.issueLink()).url
    const passwordLink = (
      await latchkey.app.features.passwords.passwords.issueLink(door.adaId, 'reset', {
        actor: { kind: 'system' },
      })
    ).url
    for (const link of [setupLink, passwordLink]) {
      const page = await newVisitor().get(link)
      await newVisitor().submit(page, { password: 'a-chosen-password-of-hers' })
      secrets.push(new URL(link).searchParams.get('token') ?? '')
    }
    await visitor.get(
      `${issuer}/session/end?id_token_hint=${tokens.id_token}&post_logout_redirect_uri=${encodeURIComponent('http://localhost:9999/bye')}`,
    )
    secrets.push(
      code,
      tokens.access_token ?? '',
      tokens.id_token ?? '',
      'a-wrong-password-of-hers',
      'a-password-in-the-wrong-field',
      'a-code-that-is-none',
      'a-client-secret-that-is-none',
      'an-access-token-that-is-none',
      'a-chosen-password-of-hers',
      ...visitor.cookies
        .filter(({ name }) => name !== 'latchkey_interaction' && name !== 'latchkey_resume')
        .map(({ value }) => value),
      btoa(`${client.id}:${client.secret}`),
      /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '',
    )

    expect(secrets.filter((secret) => secret.length < 8)).toEqual([])
    expect(latchkey.logged.length).toBeGreaterThan(15)
    const log = latchkey.logged.join('\n')
    for (const secret of secrets) expect(log).not.toContain(secret)
    const stored = JSON.stringify(await latchkey.app.storage.db.auditEvent.findMany())
    for (const secret of secrets) expect(stored).not.toContain(secret)
    for (const action of [
      'login.signed_in',
      'login.refused',
      'consents.given',
      'tokens.issued',
      'tokens.refused',
    ])
      expect(log).toContain(`"action":"${action}"`)
    const lines = latchkey.logged
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ message }) => message === 'request')
    expect(
      lines.every(
        (line) =>
          Object.keys(line)
            .filter((key) => key !== 'event')
            .toSorted()
            .join() === 'address,level,message,method,milliseconds,path,requestId,status',
      ),
    ).toBe(true)
    expect(lines.every(({ path }) => !String(path).includes('?'))).toBe(true)
  })

  it('holds one line for each request, whatever the request says', async () => {
    await using door = await openFrontDoor()
    const { latchkey } = door
    const visitor = newVisitor()
    const form = await door.begin(visitor)
    const forged = 'x"}\r\n{"level":"error","message":"forged"}'
    await visitor.submit(
      form,
      { identifier: forged, password: forged },
      { action: '/password', headers: { 'user-agent': 'agent\t\\"}{"forged":1}' } },
    )
    await visitor.get(`${latchkey.issuer}/%0d%0a%7b%22level%22:%22error%22%7d`)
    await exchange(latchkey.server.port, {
      target: '/x',
      host: new URL(latchkey.issuer).host,
      headers: [
        ['User-Agent', 'a\u0085b\u2028c'],
        ['X-Request-Id', 'a"b'],
      ],
    })
    expect(interactionPath(form)).toBeDefined()
    for (const line of latchkey.logged) {
      expect(line).not.toMatch(/[\r\n\u0085\u2028]/)
      expect(JSON.parse(line)).not.toMatchObject({ message: 'forged' })
    }
  })

  it('censors secrets by name at any of its first levels, and not the codes of errors', async () => {
    const script = `
      log.info({ password: 's1ecret', a: { token: 's2ecret', b: { client_secret: 's3ecret', c: { code: 's4ecret' } } }, headers: { authorization: 's5ecret', cookie: 's6ecret', 'set-cookie': 's7ecret' }, body: { refresh_token: 's8ecret', code: 's9ecret' } }, 'first')
      log.error({ err: Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }), errorCode: 'storage.unavailable' }, 'second')
      log.error({ err: Object.assign(new Error('odd'), { code: 'S10-authorization-code', token: 'S11' }) }, 'third')`
    const lines = (await written(script, `{ level: 'info', format: 'json' }`)).trim().split('\n')
    expect(lines.length).toBe(3)
    expect(lines.join()).not.toMatch(/s\decret|S1\d/)
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      err: { code: 'ECONNREFUSED', message: 'gone' },
      errorCode: 'storage.unavailable',
    })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      password: '[redacted]',
      headers: { cookie: '[redacted]', 'set-cookie': '[redacted]' },
    })
  })

  it.each(['json', 'pretty'])('cannot be forged by what it is given, as %s', async (format) => {
    const script = `log.info({ path: 'a\\r\\n{"level":"error","msg":"forged"}', userAgent: '\\u001b[2J\\u001b[31m', nested: { identifier: 'b\\nc' } }, 'a request')`
    const text = await written(script, `{ level: 'info', format: '${format}' }`)
    expect(text).toContain('a request')
    expect(text).not.toMatch(/^\s*\{"level":"error"/m)
    expect(text).not.toContain('\u001b[2J')
    expect(text).not.toContain('\u001b[31m')
    expect(text).not.toContain('\r')
  })

  it('is as silent as it is told', async () => {
    expect(
      await written(
        `log.info({}, 'information'); log.error({}, 'fault')`,
        `{ level: 'error', format: 'json' }`,
      ),
    ).toMatch(/^(?!.*information).*fault/)
    expect(await written(`log.error({}, 'fault')`, `{ level: 'silent', format: 'json' }`)).toBe('')
  })
})
