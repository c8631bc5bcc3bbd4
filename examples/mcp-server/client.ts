/**
 * An agent that knows nothing but the address of an MCP server. The SDK finds Latchkey, registers (or names its
 * document), asks for a code with PKCE for that server alone, calls a tool, and renews its token.
 */
import { createServer } from 'node:http'
import { auth, type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const server = new URL(process.env.SERVER ?? 'http://localhost:4000/mcp')
const port = Number(process.env.CALLBACK_PORT ?? 4001)
const redirectUrl = `http://127.0.0.1:${port}/callback`
/** Where the agent describes itself, if it does; else it registers. */
const document = process.env.CLIENT_ID_DOCUMENT

type Kept = {
  client?: Awaited<ReturnType<OAuthClientProvider['clientInformation']>>
  tokens?: Awaited<ReturnType<OAuthClientProvider['tokens']>>
  verifier?: string
}
/** A real agent keeps this safe on disk. */
const kept: Kept = {}

const provider: OAuthClientProvider = {
  redirectUrl,
  ...(document && { clientMetadataUrl: document }),
  clientMetadata: {
    client_name: 'Notes agent',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    scope: 'notes:read offline_access',
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => {
    kept.client = client
  },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => {
    kept.tokens = tokens
  },
  redirectToAuthorization: (url) => {
    // The SDK asks for what the MCP server names. That the token can be renewed is the agent's own wish.
    url.searchParams.set('scope', `${url.searchParams.get('scope') ?? ''} offline_access`.trim())
    url.searchParams.set('prompt', 'consent')
    console.log(`Open ${url.href}`)
  },
  saveCodeVerifier: (verifier) => {
    kept.verifier = verifier
  },
  codeVerifier: () => kept.verifier ?? '',
}

/** Waits for the browser to come back with a code (RFC 8252 §7.3). */
const codeArrives = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const listener = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', redirectUrl)
      if (pathname !== '/callback') return void response.writeHead(404).end()
      response.end('You can close this window.')
      listener.close()
      listener.closeAllConnections()
      const code = searchParams.get('code')
      if (code === null) reject(new Error(searchParams.get('error') ?? 'no code'))
      else resolve(code)
    }).listen(port, '127.0.0.1')
  })

async function connect(): Promise<Client> {
  const arrival = codeArrives()
  const transport = new StreamableHTTPClientTransport(server, { authProvider: provider })
  const client = new Client({ name: 'notes-agent', version: '1.0.0' })
  try {
    await client.connect(transport as Parameters<typeof client.connect>[0])
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    await transport.finishAuth(await arrival)
    const again = new StreamableHTTPClientTransport(server, { authProvider: provider })
    await client.connect(again as Parameters<typeof client.connect>[0])
  }
  return client
}

const client = await connect()
const search = () => client.callTool({ name: 'search_notes', arguments: { text: 'grace' } })
console.log('Found', JSON.stringify((await search()).content))

const before = kept.tokens?.access_token
await auth(provider, { serverUrl: server })
console.log('Renewed', kept.tokens?.access_token !== before)
console.log('Found again', JSON.stringify((await search()).content))
await client.close()
