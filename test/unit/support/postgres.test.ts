import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { createDatabaseOn, ensureTemplateOn, queryOn } from '../../support/postgres-databases.ts'

describe('a PostgreSQL server of a test', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  it('is PostgreSQL 18', async () => {
    const [row] = await queryOn(server.url, 'SELECT version()')
    expect(row?.version).toMatch(/^PostgreSQL 18\./)
  })

  it('asks for its password', async () => {
    const url = new URL(server.url)
    url.password = 'wrong'
    await expect(queryOn(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed')
  })

  it('gives databases that do not see each other', async () => {
    const [one, other] = await Promise.all([server.createDatabase(), server.createDatabase()])
    await queryOn(one.url, 'CREATE TABLE here (id integer)')
    await expect(queryOn(other.url, 'SELECT * FROM here')).rejects.toThrow('does not exist')
  })

  it('drops a database that somebody is connected to', async () => {
    const database = await server.createDatabase()
    const client = new Client({ connectionString: database.url })
    const cut = new Promise((resolve) => client.on('error', resolve))
    await client.connect()
    await database.drop()
    expect(String(await cut)).toContain('terminat')
    await expect(queryOn(database.url, 'SELECT 1')).rejects.toThrow('does not exist')
  })

  it('prepares a template once, however many ask at the same time', async () => {
    const prepare = (url: string) =>
      queryOn(url, 'CREATE TABLE prepared AS SELECT 1 AS answer').then(() => undefined)
    await Promise.all([1, 2, 3, 4].map(() => ensureTemplateOn(server.url, 'prepared_once', prepare)))
    const copies = await Promise.all(
      [1, 2, 3].map(() => createDatabaseOn(server.url, { template: 'prepared_once' })),
    )
    const rows = await Promise.all(copies.map(({ url }) => queryOn(url, 'SELECT answer FROM prepared')))
    expect(rows).toEqual([[{ answer: 1 }], [{ answer: 1 }], [{ answer: 1 }]])
  })
})

describe('a PostgreSQL server that fails', () => {
  const keepsItsData = async (end: (server: PostgresServer) => Promise<void>) => {
    await using server = await startPostgres()
    const { url } = await server.createDatabase()
    await queryOn(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await end(server)
    await expect(queryOn(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
    await server.start()
    expect(await queryOn(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  }

  it('keeps its port and its data over a stop', () => keepsItsData((server) => server.stop()))

  it('keeps its port and its data over a kill', () => keepsItsData((server) => server.kill()))

  it('answers nothing while it is paused, and everything after', async () => {
    await using server = await startPostgres()
    const connected = new Client({ connectionString: server.url, query_timeout: 200 })
    await connected.connect()
    await server.pause()
    await expect(connected.query('SELECT 1')).rejects.toThrow('timeout')
    await server.resume()
    expect(await queryOn(server.url, 'SELECT 1 AS answer')).toEqual([{ answer: 1 }])
    await connected.end()
  })
})
