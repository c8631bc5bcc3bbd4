import type { Page } from 'playwright-core'

/** The browser's own pretended fingerprint reader: what it is asked it answers, until it is taken away. */
export interface VirtualAuthenticator {
  remove(): Promise<void>
}

/** Chrome DevTools Protocol, WebAuthn domain. */
export async function openAuthenticator(tab: Page): Promise<VirtualAuthenticator> {
  const session = await tab.context().newCDPSession(tab)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    async remove() {
      await session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
      await session.detach()
    },
  }
}
