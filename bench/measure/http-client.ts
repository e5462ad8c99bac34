import { connect, type Socket } from 'node:net'

/** A request, written out once and sent many times. */
export interface Asked {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly cookie?: string
  /** Sent as JSON. */
  readonly body?: object
  /** Default `application/json`. */
  readonly accept?: string
}

export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** What the answers of a run must be, so that no wrong answer is counted as a fast one. */
export interface Expected {
  readonly status: number
  /** A part of the body. */
  readonly body: string
}

/**
 * An HTTP client that costs little beside the app it measures: a few connections that stay open, one
 * request at a time on each, requests written before the clock starts.
 */
export class HttpClient {
  readonly #connections: Connection[]

  constructor(port: number, parallel: number) {
    this.#connections = Array.from({ length: parallel }, () => new Connection(port))
  }

  /** One request. */
  async ask(asked: Asked): Promise<Answer> {
    const [first] = this.#connections
    if (first === undefined) throw new Error('a client without connections')
    return first.send(written(asked))
  }

  /** Every request once, as many at a time as there are connections. @returns the answers in order */
  async all(requests: readonly string[]): Promise<Answer[]> {
    const answers: Answer[] = []
    await this.#spread(
      () => requests.length,
      async (connection, nth) => {
        answers[nth] = await connection.send(requests[nth] ?? '')
      },
    )
    return answers
  }

  /**
   * Sends that many requests, the given ones in turn.
   *
   * @returns seconds
   * @throws Error for an answer that is not as expected
   */
  async run(requests: readonly string[], times: number, expected: Expected): Promise<number> {
    const began = process.hrtime.bigint()
    await this.#spread(
      () => times,
      async (connection, nth) => {
        check(await connection.send(requests[nth % requests.length] ?? ''), expected)
      },
    )
    return Number(process.hrtime.bigint() - began) / 1e9
  }

  /**
   * Sends the requests in turn until it is told to stop.
   *
   * @returns how long each answer took, milliseconds
   */
  async latencies(requests: readonly string[], goesOn: () => boolean, expected: Expected) {
    const took: number[] = []
    const times = () => (goesOn() ? Number.POSITIVE_INFINITY : 0)
    await this.#spread(times, async (connection, nth) => {
      const began = performance.now()
      check(await connection.send(requests[nth % requests.length] ?? ''), expected)
      took.push(performance.now() - began)
    })
    return took
  }

  async #spread(times: () => number, send: (connection: Connection, nth: number) => Promise<void>) {
    let nth = 0
    await Promise.all(
      this.#connections.map(async (connection) => {
        while (nth < times()) {
          nth += 1
          await send(connection, nth - 1)
        }
      }),
    )
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}

export function check(answer: Answer, expected: Expected): void {
  if (answer.status === expected.status && answer.body.includes(expected.body)) return
  const { status, body } = answer
  throw new Error(
    `wrong answer: ${status} ${body.slice(0, 300)}\nexpected: ${expected.status} ${expected.body}`,
  )
}

/** The bytes of a request. */
export function written({ method = 'GET', path, cookie, body, accept }: Asked): string {
  const text = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Accept: ${accept ?? 'application/json'}`,
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    ...(method === 'GET' ? [] : ['Origin: http://127.0.0.1']),
    ...(method === 'GET' ? [] : [`Content-Length: ${Buffer.byteLength(text)}`]),
    ...(text === '' ? [] : ['Content-Type: application/json']),
  ]
  return `${lines.join('\r\n')}\r\n\r\n${text}`
}

/** The cookies that an answer sets, those that it takes away left out. */
export function cookieOf({ head }: Answer): string {
  const set = [...head.matchAll(/^set-cookie: ([^;\r\n]+)([^\r\n]*)/gim)]
  return set
    .filter(([, , attributes = '']) => !/max-age=0/i.test(attributes))
    .map(([, pair]) => pair)
    .join('; ')
}

class Connection {
  readonly #port: number
  #socket: Socket | null = null
  #received = ''
  #resolve: ((answer: Answer) => void) | null = null
  #reject: ((error: Error) => void) | null = null

  constructor(port: number) {
    this.#port = port
  }

  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#socket ??= this.#open()
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#reject = null
    this.#socket?.destroy()
  }

  #open(): Socket {
    const socket = connect(this.#port, '127.0.0.1')
    socket.setNoDelay(true)
    // One character a byte, so that a length in bytes is one in characters.
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#received += text
      const read = answerIn(this.#received)
      if (read === null) return
      this.#received = ''
      this.#resolve?.(read)
    })
    socket.on('error', (error) => this.#reject?.(error))
    socket.on('close', () => {
      this.#socket = null
      this.#reject?.(new Error('the app closed the connection'))
    })
    return socket
  }
}

/** The whole answer, or null while some of it is missing. */
function answerIn(received: string): Answer | null {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return null
  const head = received.slice(0, end)
  const status = Number(head.slice(9, 12))
  const rest = received.slice(end + 4)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined)
    return rest.length < Number(length) ? null : { status, head, body: rest }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, head, body: '' }
  if (!rest.endsWith('0\r\n\r\n')) return null
  return { status, head, body: unchunked(rest) }
}

function unchunked(text: string): string {
  let [body, at] = ['', 0]
  while (at < text.length) {
    const line = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, line), 16)
    if (!(size > 0)) break
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
  return body
}
