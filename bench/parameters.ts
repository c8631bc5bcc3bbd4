/** What both sides are configured with, so that a ratio compares work and not settings. */
export const parameters = {
  scope: 'openid profile email offline_access',
  apiScope: 'read',
  /** Never visited: the generator reads the code from the Location header. */
  redirectUri: 'https://app.bench.test/callback',
  apis: { es256: 'https://es256.api.bench.test', rs256: 'https://rs256.api.bench.test' },
  /** `id_token_signed_response_alg` of the web client; RSA costs a code exchange about twice as much as ES256. */
  idTokenAlgorithm: 'RS256',
  user: {
    identifier: 'bench@example.test',
    name: 'Bench Person',
    password: 'correct horse battery staple 42',
  },
  /** OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane. */
  argon2: { memoryCost: 19_456, timeCost: 2, parallelism: 1 },
  /** Connections of the closed loop, and signed-in browsers, tokens and rows it spreads over. */
  connections: 16,
  signIns: 20,
  /** Devices that wait for their persons. At ten thousand each polls once before its five seconds are over. */
  waitingDevices: 10_000,
} as const
