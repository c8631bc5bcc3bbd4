import { connect } from 'node:net'

/** One HTTP/1.1 answer: status, head without its last line end, decoded body. */
export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: Buffer
}

/** One keep-alive connection with at most one request under way. */
export interface Connection {
  /** Sends a complete request; `onAnswer` is called once, or the connection fails. */
  send(request: Buffer, onAnswer: (answer: Answer) => void): void
  close(): void
}

const headEnd = Buffer.from('\r\n\r\n')

/**
 * Opens a connection that reads just enough HTTP/1.1 to frame answers.
 * A full client costs more CPU for each request than some of the measured servers do,
 * and on a machine with few cores that cost would be measured instead of them.
 */
export function openConnection(origin: string, onFailure: (error: Error) => void): Promise<Connection> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let unread: Buffer | undefined
    let waiting: ((answer: Answer) => void) | undefined
    let closed = false

    const fail = (error: Error) => {
      if (closed) return
      closed = true
      socket.destroy()
      reject(error)
      onFailure(error)
    }
    socket.once('error', fail)
    socket.once('close', () => fail(new Error('the server closed the connection')))
    socket.on('data', (chunk: Buffer) => {
      unread = unread ? Buffer.concat([unread, chunk]) : chunk
      const answer = readAnswer(unread)
      if (!answer) return
      unread = undefined
      const answered = waiting
      waiting = undefined
      if (answered) answered(answer)
      else fail(new Error('the server answered without a request'))
    })
    socket.once('connect', () =>
      resolve({
        send(request, onAnswer) {
          waiting = onAnswer
          socket.write(request)
        },
        close() {
          closed = true
          socket.destroy()
        },
      }),
    )
  })
}

/** Returns undefined until `bytes` holds a complete message (RFC 9112 §6). */
export function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const bodyStart = end + 4
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length) {
    const bodyEnd = bodyStart + Number(length[1])
    return bytes.length < bodyEnd ? undefined : { status, head, body: bytes.subarray(bodyStart, bodyEnd) }
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = readChunks(bytes, bodyStart)
    return body && { status, head, body }
  }
  return { status, head, body: bytes.subarray(bodyStart, bodyStart) }
}

function readChunks(bytes: Buffer, from: number): Buffer | undefined {
  const chunks: Buffer[] = []
  let at = from
  while (true) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
