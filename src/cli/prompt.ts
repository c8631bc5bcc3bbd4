import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { InputFields } from '../kernel/resource.ts'
import { interrupted, usage } from './faults.ts'
import type { CommandLinePorts } from './ports.ts'
import { kebab } from './words.ts'

const maximumBytes = 65_536

type Terminal = Pick<CommandLinePorts, 'stdin' | 'stderr'>

/**
 * Reads values that must not be arguments. A person is asked for each, twice and without echo; from a pipe a single one
 * is all there is, and of several each is a line.
 */
export async function readHidden(terminal: Terminal, fields: InputFields, names: readonly string[]) {
  if (names.length === 0) return {}
  if (terminal.stdin.isTTY === true) return await askAll(terminal, fields, names)
  const text = await readAll(terminal)
  const lines = names.length === 1 ? [text] : text.split(/\r?\n/)
  if (lines.length < names.length) {
    throw usage(`Standard input must hold ${names.map(kebab).join(' and ')}, each on a line.`)
  }
  return Object.fromEntries(names.map((name, index) => [name, lines[index]]))
}

async function askAll(terminal: Terminal, fields: InputFields, names: readonly string[]) {
  const values: [string, string][] = []
  for (const name of names) {
    terminal.stderr.write(`${fields[name]?.documentation ?? ''}\n`)
    const value = await ask(terminal, `${kebab(name)}: `, 'hidden')
    if ((await ask(terminal, `${kebab(name)} again: `, 'hidden')) !== value) {
      throw usage('The two entries differ. Start again.')
    }
    values.push([name, value])
  }
  return Object.fromEntries(values)
}

/** Whether a person says yes. */
export const confirm = async (terminal: Terminal, question: string): Promise<boolean> =>
  /^y(es)?$/i.test((await ask(terminal, `${question} [y/N] `, 'echoed')).trim())

/** One line from a terminal. Throws when the person ends it instead. */
async function ask(
  { stdin, stderr }: Terminal,
  prompt: string,
  answer: 'hidden' | 'echoed',
): Promise<string> {
  // Where nothing of the line may be seen, the editing of it is written to nowhere, and the prompt by ourselves.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const output = answer === 'hidden' ? nowhere : stderr
  const line = createInterface({ input: stdin, output, terminal: true, historySize: 0 })
  const answered = new Promise<string>((resolve, reject) => {
    line.once('line', resolve)
    line.once('SIGINT', () => reject(interrupted()))
    line.once('close', () => reject(interrupted()))
  })
  stderr.write(answer === 'hidden' ? prompt : '')
  line.setPrompt(answer === 'hidden' ? '' : prompt)
  line.prompt()
  try {
    return await answered
  } finally {
    line.close()
    stderr.write(answer === 'hidden' ? '\n' : '')
  }
}

/** Everything on standard input, without the line end that `echo` adds. */
async function readAll({ stdin }: Terminal): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk as Uint8Array)
    bytes += buffer.length
    if (bytes > maximumBytes)
      throw usage(`Standard input holds more than ${maximumBytes} bytes. Give the value alone.`)
    chunks.push(buffer)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, '')
  } catch {
    throw usage('Standard input is not UTF-8 text.')
  }
}
