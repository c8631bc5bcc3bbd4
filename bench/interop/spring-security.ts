/** Spring Security in a Spring Boot application that Maven builds on the spot: `docs/clients/spring-security.md`. */
import { mkdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { newVisitor } from '../../test/support/visitor.ts'
import { freePort } from '../child.ts'
import { type Ground, leaveIssuer, person, same, throughIssuer } from './ground.ts'
import { find, versionOf } from './programs.ts'
import { writeSpringProject } from './spring-project.ts'

const boots = ['4.1.2', '3.5.16']

export async function springSecurity(ground: Ground): Promise<string> {
  const java = find('java')
  const maven = find('mvn')
  for (const boot of boots) await tryBoot(ground, { boot, java, maven })
  return `Spring Boot ${boots.join(' and ')}, Java ${versionOf(java, ['--version'])}`
}

interface Trial {
  readonly boot: string
  readonly java: string
  readonly maven: string
}

async function tryBoot(ground: Ground, { boot, java, maven }: Trial): Promise<void> {
  const folder = `${ground.folder}/spring-${boot}`
  mkdirSync(folder)
  writeSpringProject(folder, boot)
  const building = ground.start(maven, ['-q', '-B', 'package'], { cwd: folder })
  if ((await building.ended) !== 0) throw new Error(building.output().slice(-2000))

  const url = `http://localhost:${await freePort()}`
  const { id, secret } = await ground.createClient(
    ...['--name', `Intranet ${boot}`, '--kind', 'web', '--first-party'],
    ...['--redirect-uri', `${url}/login/oauth2/code/latchkey`],
    ...['--post-logout-redirect-uri', `${url}/goodbye`],
    ...['--backchannel-logout-uri', `${url}/logout/connect/back-channel/latchkey`],
  )
  const registration = 'spring.security.oauth2.client.registration.latchkey'
  const server = ground.start(java, [
    ...['-jar', `${folder}/target/interop.jar`, `--server.port=${new URL(url).port}`],
    ...[`--${registration}.client-id=${id}`, `--${registration}.client-secret=${secret}`],
    `--${registration}.scope=openid,profile,email`,
    `--spring.security.oauth2.client.provider.latchkey.issuer-uri=${ground.issuer}`,
  ])
  await server.answers(`${url}/goodbye`)
  await signInAndOut(ground, url)
  server.stop()
}

async function signInAndOut(ground: Ground, url: string): Promise<void> {
  const enter = async () => {
    const visitor = newVisitor()
    const begun = await visitor.follow(await visitor.get(`${url}/oauth2/authorization/latchkey`))
    same('the page', (await throughIssuer(visitor, begun)).text, `signed in as ${person.email}`)
    return visitor
  }
  const visitor = await enter()
  const leaving = await visitor.submit(await visitor.get(`${url}/logout`))
  same('after signing out', await leaveIssuer(visitor, leaving), `${url}/goodbye`)
  same('the page afterwards', (await visitor.get(`${url}/`)).status, 302)

  const told = await enter()
  await ground.latchkey('sessions', 'end-all', '--user', person.email)
  for (let tries = 0; (await told.get(`${url}/`)).status === 200; tries += 1) {
    if (tries === 100) throw new Error('the back channel does not end the session')
    await pause(100)
  }
}
