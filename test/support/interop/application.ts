/**
 * Applications in the wild that run in this process: what each needs to know, and how one listens.
 *
 * They are written as the recipes in `docs/clients` say, so that these are tried whenever the tests run.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'

export interface ApplicationSettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Where the application is, without a slash at the end. */
  readonly url: string
}

export interface RunningApplication extends AsyncDisposable {
  readonly url: string
}

/** Serves the application where its redirect URI says. */
export async function listen(app: Express, url: string): Promise<RunningApplication> {
  const { port, hostname } = new URL(url)
  const server = app.listen(Number(port), hostname)
  await once(server, 'listening')
  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
