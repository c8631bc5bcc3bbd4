import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { type Answer, type Connection, openConnection } from './wire.ts'

/** A stream of requests of one kind. */
export interface Stream {
  readonly origin: string
  readonly connections: number
  /** The next request of a connection, or undefined when there are no more. */
  next(connection: number): Buffer | undefined
  /** Every answer is held against this; another status, or a message without the text, is a failure. */
  readonly expected: { readonly status: number; readonly text: string }
  /** Called with every expected answer. */
  answered?(answer: Answer): void
}

/** What one window measured. Latencies are milliseconds. */
export interface Measured {
  readonly requests: number
  readonly failures: number
  readonly firstFailure?: string
  readonly seconds: number
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** CPU microseconds the generator itself spent on each request. */
  readonly generatorCpuUs: number
}

const failureLimit = 50
const drainSeconds = 30

/** What the connections of a window share. */
interface Loop {
  readonly stream: Stream
  readonly endsAt: bigint
  readonly latencies: RecordableHistogram
  readonly failures: string[]
  retire(): void
}

/**
 * Runs a closed loop: each connection sends its next request as soon as the last one is answered.
 * Ends after `seconds`, or when the stream has no more requests, or after many failures;
 * requests under way are awaited and counted.
 * @throws when an answer is missing for 30 seconds after the end
 */
export async function runLoad(stream: Stream, seconds: number): Promise<Measured> {
  const failures: string[] = []
  const finished = Promise.withResolvers<void>()
  let active = stream.connections
  const retire = () => {
    active -= 1
    if (active === 0) finished.resolve()
  }
  const connections = await openConnections(stream, (error) => {
    failures.push(error.message)
    retire()
  })
  const latencies = createHistogram({ lowest: 1, highest: 120_000_000_000, figures: 3 })
  const cpuBefore = process.cpuUsage()
  const startedAt = process.hrtime.bigint()
  const endsAt = startedAt + BigInt(Math.round(seconds * 1e9))
  const loop = { stream, endsAt, latencies, failures, retire }
  for (const [index, connection] of connections.entries()) drive(loop, connection, index)
  try {
    await inTime(finished.promise, seconds + drainSeconds)
  } finally {
    for (const connection of connections) connection.close()
  }
  const cpu = process.cpuUsage(cpuBefore)
  const elapsedSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9
  return {
    ...summary(latencies, elapsedSeconds),
    failures: failures.length,
    firstFailure: failures[0],
    generatorCpuUs: (cpu.user + cpu.system) / Math.max(latencies.count, 1),
  }
}

function openConnections(stream: Stream, onFailure: (error: Error) => void): Promise<Connection[]> {
  return Promise.all(
    Array.from({ length: stream.connections }, () => openConnection(stream.origin, onFailure)),
  )
}

function drive(loop: Loop, connection: Connection, index: number): void {
  const { stream, endsAt, latencies, failures } = loop
  let sentAt = process.hrtime.bigint()
  const step = () => {
    const request = sentAt < endsAt && failures.length < failureLimit ? stream.next(index) : undefined
    if (request) return connection.send(request, receive)
    connection.close()
    loop.retire()
  }
  const receive = (answer: Answer) => {
    latencies.record(process.hrtime.bigint() - sentAt)
    const failure = judge(answer, stream.expected)
    if (failure === undefined) stream.answered?.(answer)
    else failures.push(failure)
    sentAt = process.hrtime.bigint()
    step()
  }
  step()
}

async function inTime(finished: Promise<void>, limitSeconds: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  const error = new Error(`a window was not over after ${limitSeconds} s: answers are missing`)
  const timer = setTimeout(() => late.reject(error), limitSeconds * 1000)
  try {
    await Promise.race([finished, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function summary(latencies: RecordableHistogram, seconds: number) {
  const requests = latencies.count
  return {
    requests,
    seconds,
    rps: requests / seconds,
    p50Ms: latencies.percentile(50) / 1e6,
    p99Ms: latencies.percentile(99) / 1e6,
    maxMs: latencies.max / 1e6,
  }
}

function judge({ status, head, body }: Answer, expected: Stream['expected']): string | undefined {
  const held = status === expected.status && (body.includes(expected.text) || head.includes(expected.text))
  if (held) return undefined
  return `expected ${expected.status} with ${expected.text}, got ${status}: ${body.toString().slice(0, 300)}`
}
