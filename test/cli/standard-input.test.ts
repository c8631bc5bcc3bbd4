import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestCommandLine, type RunOptions, type TestCommandLine } from '../support/command-line.ts'

let cli: TestCommandLine

beforeAll(async () => {
  cli = await openTestCommandLine()
})
afterAll(() => cli[Symbol.asyncDispose]())

const latchkey = (argv: readonly string[], options?: RunOptions) => cli.latchkey(argv, options)

describe('values that must not be arguments', () => {
  const unlock = ['vault', 'unlock', '--json']

  it('are read from standard input, whole, without the last line end', async () => {
    const { code, stdout } = await latchkey(unlock, { stdin: ' two words \n' })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ passphrase: ' two words ', rounds: 1 })
  })

  it('are no option', async () => {
    const { code, stderr } = await latchkey([...unlock, '--passphrase', 'secret'], { stdin: 'x' })
    expect(code).toBe(2)
    expect(stderr).toContain("unknown option '--passphrase'")
  })

  it('are asked of a person twice, and never shown', async () => {
    const typed = [
      ['passphrase: ', 'geheimx\u007f\r'],
      ['passphrase again: ', 'geheim\r'],
    ] as const
    const { code, stdout, stderr } = await latchkey(unlock, { typed })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).passphrase).toBe('geheim')
    expect(stderr).toBe('The passphrase.\npassphrase: \npassphrase again: \n')
  })

  it('are refused when the two entries differ, and when the person stops', async () => {
    const differ = [
      ['passphrase: ', 'geheim\r'],
      ['passphrase again: ', 'geheimer\r'],
    ] as const
    expect(await latchkey(unlock, { typed: differ })).toMatchObject({ code: 2, stdout: '' })
    expect((await latchkey(unlock, { typed: [['passphrase: ', 'geh\u0003']] })).code).toBe(130)
  })

  it.each([
    ['nothing', ''],
    ['too much', 'x'.repeat(70_000)],
    ['what is not UTF-8', Buffer.from([0xff, 0xfe, 0x41])],
  ])('are refused when standard input holds %s', async (_, stdin) => {
    const { code, stdout, stderr } = await latchkey(unlock, { stdin })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
  })
})
