import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/application.ts'
import { ada, interactionPath } from '../support/front-door.ts'
import { openSecondStep, type SecondStep } from '../support/second-step.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const patient = {
  LATCHKEY_THROTTLE_ACCOUNT_FAILURES: '10000',
  LATCHKEY_THROTTLE_ADDRESS_FAILURES: '10000',
  LATCHKEY_THROTTLE_DEVICE_FAILURES: '10000',
}

describe('two processes over one database', () => {
  let house: SecondStep
  let other: ServerProcess
  beforeAll(async () => {
    house = await openSecondStep({ environment: patient })
    const { databaseUrl, issuer } = house.latchkey
    other = await startServerProcess({ databaseUrl, issuer, environment: patient })
  })
  afterAll(async () => {
    await other[Symbol.asyncDispose]()
    await house[Symbol.asyncDispose]()
  })

  const twentyBrowsers = async (): Promise<readonly { visitor: Visitor; page: Page }[]> => {
    const browsers: { visitor: Visitor; page: Page }[] = []
    for (let index = 0; index < 20; index += 1) {
      const visitor = newVisitor()
      browsers.push({ visitor, page: await house.atSecondStep(visitor) })
    }
    return browsers
  }

  /** Where each of twenty sign-ins stands after all gave the same code at once, half of them to the other process. */
  const race = async (factor: string, code: string): Promise<readonly number[]> => {
    const browsers = await twentyBrowsers()
    const answers = await Promise.all(
      browsers.map(({ visitor, page }, index) =>
        send(index % 2 === 0 ? house.latchkey : other, `${interactionPath(page)}/${factor}`, {
          headers: {
            origin: house.latchkey.issuer,
            accept: 'text/html',
            cookie: visitor.cookies
              .filter(({ path }) => interactionPath(page).startsWith(path))
              .map(({ name, value }) => `${name}=${value}`)
              .join('; '),
          },
          form: { _csrf: /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '', code },
        }),
      ),
    )
    return answers.map(({ status }) => status).toSorted()
  }
  const onlyOne = [303, ...Array.from({ length: 19 }, () => 401)]

  it('accept a code of an authenticator app once, and a recovery code once', {
    timeout: 60_000,
  }, async () => {
    const { visitor } = await house.atAccount(ada)
    const key = await house.addApp(visitor)
    const [first = ''] = await house.makeCodes(visitor)
    expect(await race('totp', house.codeNow(key))).toEqual(onlyOne)
    expect(await race('recovery-code', first)).toEqual(onlyOne)
  })
})
