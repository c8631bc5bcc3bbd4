/**
 * Reads the part of YAML 1.2 that docker-compose.yml is written in: block mappings and lists, quoted or plain scalars,
 * flow lists of quoted scalars, folded text. Throws at anything else, so that nothing is read as what it is not.
 */
export type Yaml = string | undefined | readonly Yaml[] | { readonly [key: string]: Yaml }

interface Line {
  readonly indent: number
  readonly text: string
}

export function readYaml(source: string): Yaml {
  const lines = source
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .map((line) => ({ indent: line.search(/\S/), text: line.trim() }))
  const [value, rest] = block(lines)
  if (rest[0] !== undefined) throw new Error(`Not understood: ${rest[0].text}`)
  return value
}

type Read = readonly [value: Yaml, rest: readonly Line[]]

/** The lines of one indentation, and what stands below each. */
function block(lines: readonly Line[]): Read {
  const indent = lines[0]?.indent ?? 0
  const list: Yaml[] = []
  const mapping: Record<string, Yaml> = {}
  let rest = lines
  while (rest[0]?.indent === indent) {
    const { text } = rest[0]
    const [, key, written] = /^(?:- |([\w-]+):(?: |$))(.*)$/.exec(text) ?? []
    if (written === undefined) throw new Error(`Not understood: ${text}`)
    const [value, after] = entryValue(written, indent, rest.slice(1))
    if (key === undefined) list.push(value)
    else mapping[key] = value
    rest = after
  }
  return [list.length > 0 ? list : mapping, rest]
}

function entryValue(written: string, indent: number, below: readonly Line[]): Read {
  const deeper = below[0] !== undefined && below[0].indent > indent
  if (written === '') return deeper ? block(below) : [undefined, below]
  if (written !== '>-') return [scalar(written), below]
  const end = below.findIndex((line) => line.indent <= indent)
  const folded = end === -1 ? below : below.slice(0, end)
  return [folded.map(({ text }) => text).join(' '), below.slice(folded.length)]
}

function scalar(text: string): Yaml {
  if (/^["[]/.test(text)) return JSON.parse(text) as Yaml
  if (/^[\w./:-]+$/.test(text)) return text
  throw new Error(`Not understood: ${text}`)
}
