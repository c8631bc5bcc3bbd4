/** The part of the tour that begins elsewhere: an application that asks somebody who is not there, and a device. */
import { fill, go, send, type Walk } from './walk.ts'

/** What an application asks of a person who is elsewhere. */
export async function* answering(walk: Walk): AsyncGenerator<string> {
  const { grounds, tab } = walk
  await grounds.ask('ada@example.test')
  await tab.goto(`${grounds.latchkey.issuer}/account/applications`)
  yield 'applications-asked'
  await go(walk, tab.locator('main a[href*="approvals/answer"]'))
  yield 'approval'
  await go(walk, tab.locator('button[form=approve]'))
  yield 'approval-given'
}

/** A device that has no browser. */
export async function* connecting(walk: Walk): AsyncGenerator<string> {
  const { grounds, tab } = walk
  await tab.goto(`${grounds.latchkey.issuer}/device`)
  yield 'device'
  await fill(walk, { user_code: 'BDWPHQPK' })
  await send(walk)
  yield 'device-wrong'
  for (const outcome of ['approved', 'denied']) {
    await tab.goto((await grounds.connect()).verification_uri_complete)
    if (outcome === 'approved') yield 'device-asks'
    await send(walk)
    if (outcome === 'approved') yield 'device-confirm'
    await go(walk, tab.locator(outcome === 'approved' ? 'button[form=allow]' : 'button[form=deny]'))
    yield `device-${outcome}`
  }
}
