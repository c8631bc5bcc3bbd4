import { describe, expect, it } from 'vitest'
import { type Asking, answer, bank, outboundAllowed } from '../support/asking.ts'
import { type NotifiedApplication, notifiedApplication } from '../support/notified-application.ts'

describe('an application that is told', () => {
  const ping = (application: NotifiedApplication): Promise<Asking> =>
    bank(
      { environment: outboundAllowed },
      { backchannelTokenDeliveryMode: 'ping', backchannelClientNotificationEndpoint: application.url },
    )

  it.each(['approve', 'deny'] as const)('is told by its own token after %s, and asks then', async (act) => {
    await using application = await notifiedApplication()
    await using opened = await ping(application)
    const { door, begin, poll } = opened
    const authReqId = await begin({ client_notification_token: 'token-of-the-bank' })
    const rows = await door.latchkey.app.storage.db.artefact.findMany({})
    expect(JSON.stringify(rows)).not.toContain('token-of-the-bank')
    await answer(door, await door.signedIn(), act)
    await door.latchkey.app.features.outbox.worker.drain()
    expect(application.received).toEqual([
      { authorization: 'Bearer token-of-the-bank', body: { auth_req_id: authReqId } },
    ])
    expect((await poll(authReqId)).status).toBe(act === 'approve' ? 200 : 400)
  })

  it('needs a token of its own', async () => {
    await using application = await notifiedApplication()
    await using opened = await ping(application)
    const { ask } = opened
    expect((await ask()).body).toMatchObject({ error: 'invalid_request' })
  })

  it('is told again when it was away', async () => {
    await using application = await notifiedApplication()
    await using opened = await ping(application)
    const { door, begin } = opened
    await begin({ client_notification_token: 'token-of-the-bank' })
    application.status = 503
    await answer(door, await door.signedIn(), 'approve')
    const { worker, queue } = door.latchkey.app.features.outbox
    await worker.drain()
    application.status = 204
    await queue.retry('approval_answered')
    await worker.drain()
    expect(application.received).toHaveLength(2)
  })

  it('is not told again once it has fetched its tokens', async () => {
    await using application = await notifiedApplication()
    await using opened = await ping(application)
    const { door, begin, poll } = opened
    const authReqId = await begin({ client_notification_token: 'token-of-the-bank' })
    application.status = 503
    await answer(door, await door.signedIn(), 'approve')
    const { worker, queue } = door.latchkey.app.features.outbox
    await worker.drain()
    expect((await poll(authReqId)).status).toBe(200)
    await queue.retry('approval_answered')
    await worker.drain()
    expect(application.received).toHaveLength(1)
    expect(await queue.list('approval_answered', 10)).toEqual([])
  })

  it.each([302, 307, 404])(
    'is told once where it answers with %i, and no redirect is followed',
    async (status) => {
      await using application = await notifiedApplication()
      await using opened = await ping(application)
      const { door, begin } = opened
      await begin({ client_notification_token: 'token-of-the-bank' })
      application.status = status
      await answer(door, await door.signedIn(), 'approve')
      const { worker, queue } = door.latchkey.app.features.outbox
      await worker.drain()
      expect(application.received).toHaveLength(1)
      expect(await queue.list('approval_answered', 10)).toMatchObject([{ abandonedAt: expect.any(Date) }])
    },
  )
})

describe('an application at a private address', () => {
  it('is not called unless the operator allows it', async () => {
    await using application = await notifiedApplication()
    await using opened = await bank(
      {},
      { backchannelTokenDeliveryMode: 'ping', backchannelClientNotificationEndpoint: application.url },
    )
    const { door, begin } = opened
    await begin({ client_notification_token: 'token-of-the-bank' })
    await answer(door, await door.signedIn(), 'approve')
    await door.latchkey.app.features.outbox.worker.drain()
    expect(application.received).toEqual([])
  })
})
