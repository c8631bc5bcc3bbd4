import { checks } from './checks.ts'

// `npm run check` runs them all; `npm run check -- types arrows` those named; `npm run check -- --without tests` the rest.
const [first, ...rest] = process.argv.slice(2)
const named = first === '--without' ? rest : process.argv.slice(2)
const unknown = named.filter((name) => !checks.some((check) => check.name === name))
const chosen = checks.filter(
  ({ name }) => named.length === 0 || named.includes(name) !== (first === '--without'),
)

if (unknown.length > 0) {
  console.error(
    `There is no check named ${unknown.join(', ')}; there are ${checks.map(({ name }) => name).join(', ')}.`,
  )
  process.exit(2)
}

for (const { name, run } of chosen) {
  const startedAt = performance.now()
  const { faults, summary } = await run(process.cwd())
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(
    `${faults.length === 0 ? '✓' : '✗'} ${name.padEnd(10)} ${seconds.padStart(6)} s  ${faults.length === 0 ? summary : ''}`,
  )
  if (faults.length > 0) {
    console.error(`\n${faults.join('\n')}\n`)
    // Not exit(), which would cut off what a pipe has not taken yet.
    process.exitCode = 1
    break
  }
}
