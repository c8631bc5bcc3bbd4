/**
 * An MCP server that is protected by Latchkey: it says where its tokens come from (RFC 9728) and believes those alone
 * that are signed by that issuer, made for it and carry its scope.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'

const issuer = process.env.ISSUER ?? 'http://localhost:3000'
const port = Number(process.env.PORT ?? 4000)
const resource = process.env.RESOURCE ?? `http://localhost:${port}/mcp`
const scope = 'notes:read'

const origin = new URL(resource).origin
const metadataPath = '/.well-known/oauth-protected-resource'
const metadataUrl = `${origin}${metadataPath}${new URL(resource).pathname}`
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))

const notes = ['Water the plants', 'Call Grace', 'Renew the passport']

/** The tools, for one request of one person. */
function toolsFor(subject: string): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool(
    'search_notes',
    { description: 'Notes that contain a text', inputSchema: { text: z.string().max(100) } },
    async ({ text }) => ({
      content: notes
        .filter((note) => note.toLowerCase().includes(text.toLowerCase()))
        .map((note) => ({ type: 'text' as const, text: note })),
    }),
  )
  server.registerTool('whoami', { description: 'For whom the client acts' }, async () => ({
    content: [{ type: 'text', text: subject }],
  }))
  return server
}

/** The claims of the request's token, or why there are none. */
async function verified(
  request: IncomingMessage,
): Promise<JWTPayload | 'missing' | 'invalid' | 'insufficient'> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return 'missing'
  try {
    const { payload } = await jwtVerify(token, keys, { issuer, audience: resource, typ: 'at+jwt' })
    return String(payload.scope ?? '')
      .split(' ')
      .includes(scope)
      ? payload
      : 'insufficient'
  } catch {
    return 'invalid'
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
  response.end(JSON.stringify(body))
}

/** RFC 6750 §3 and RFC 9728 §5.1: where to learn how to get a token that works. */
function challenge(response: ServerResponse, reason: 'missing' | 'invalid' | 'insufficient'): void {
  const error = {
    missing: '',
    invalid: ', error="invalid_token"',
    insufficient: ', error="insufficient_scope"',
  }[reason]
  response.setHeader(
    'WWW-Authenticate',
    `Bearer resource_metadata="${metadataUrl}", scope="${scope}"${error}`,
  )
  json(response, reason === 'insufficient' ? 403 : 401, { error: reason })
}

createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', origin)
  if (pathname === metadataPath || pathname === new URL(metadataUrl).pathname) {
    return json(response, 200, {
      resource,
      authorization_servers: [issuer],
      scopes_supported: [scope],
      bearer_methods_supported: ['header'],
    })
  }
  if (pathname !== new URL(resource).pathname) return json(response, 404, { error: 'not_found' })
  const claims = await verified(request)
  if (typeof claims === 'string') return challenge(response, claims)
  // No session is kept: each request brings its token and is answered by itself.
  const server = toolsFor(claims.sub ?? '')
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.on('close', () => void server.close())
  await server.connect(transport as Parameters<typeof server.connect>[0])
  return await transport.handleRequest(request, response)
}).listen(port, 'localhost', () => console.log(`MCP server at ${resource}`))
