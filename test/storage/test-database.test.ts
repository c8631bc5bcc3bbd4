import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { createDatabase, databaseKind } from '../support/database.ts'
import { queryOn } from '../support/postgres-databases.ts'

const query = async (url: string, statement: string): Promise<unknown[]> => {
  if (url.startsWith('postgresql:')) return queryOn(url, statement)
  const file = new DatabaseSync(url.slice('file:'.length))
  try {
    return file
      .prepare(statement)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    file.close()
  }
}

const prepared: string[] = []
const template = {
  name: 'tried',
  prepare: async (url: string) => {
    prepared.push(url)
    await query(url, 'CREATE TABLE tried (answer integer)')
  },
}

it('is on the database that its project names', async () => {
  const database = await createDatabase()
  const statements = {
    sqlite: 'SELECT sqlite_version() AS version',
    postgresql: 'SELECT version() AS version',
  }
  const versions = { sqlite: /"version":"3\./, postgresql: /"version":"PostgreSQL / }
  expect(JSON.stringify(await query(database.url, statements[databaseKind()]))).toMatch(
    versions[databaseKind()],
  )
})

it('is empty unless it is prepared', async () => {
  const database = await createDatabase()
  await expect(query(database.url, 'SELECT * FROM tried')).rejects.toThrow(/no such table|does not exist/)
})

it('gives every test its own copy of what was prepared once', async () => {
  const [one, other] = await Promise.all([createDatabase(template), createDatabase(template)])
  const times = prepared.length
  await query(one.url, 'INSERT INTO tried VALUES (1)')
  const third = await createDatabase(template)
  expect(await query(one.url, 'SELECT answer FROM tried')).toEqual([{ answer: 1 }])
  expect(await query(other.url, 'SELECT answer FROM tried')).toEqual([])
  expect(await query(third.url, 'SELECT answer FROM tried')).toEqual([])
  expect(prepared).toHaveLength(times)
})

it('removes a database that was dropped', async () => {
  const database = await createDatabase(template)
  await query(database.url, 'SELECT * FROM tried')
  await database.drop()
  await expect(query(database.url, 'SELECT * FROM tried')).rejects.toThrow(/unable to open|does not exist/)
})
