import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { JSON_TYPE } from './browser.js'
import type { Host } from './host.js'

/** A request whose header the server has, and whose body the client still holds back. */
export interface Parked {
  finish(body: object | Buffer): Promise<ParkedAnswer>
  /** Sends a piece of the body, and not its end. */
  write(piece: Buffer): void
  /** For a request that is answered without its body. */
  readonly answer: Promise<ParkedAnswer>
}

export interface ParkedAnswer {
  readonly status: number
  /** Empty where the answer is a page. */
  readonly body: Record<string, unknown>
  readonly text: string
  /** The session cookie that the answer sets, as `name=value`, or null. */
  readonly cookie: string | null
}

/**
 * Sends a POST up to its body, in the session of the cookie, and waits until the guard has let it
 * in. The body must have as many bytes as `like`.
 */
export async function park(
  host: Host,
  path: string,
  {
    cookie,
    like,
    method = 'POST',
    accept = JSON_TYPE,
    headers = {},
  }: {
    cookie: string
    like: object
    method?: 'POST' | 'GET'
    accept?: string
    headers?: http.OutgoingHttpHeaders
  },
): Promise<Parked> {
  const server = http.createServer(host.app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const request = http.request({
    ...{ port, host: '127.0.0.1', method, path },
    headers: {
      Cookie: cookie,
      Accept: accept,
      'Content-Type': accept === JSON_TYPE ? JSON_TYPE : 'application/x-www-form-urlencoded',
      'Content-Length': bytesOf(like).length,
      ...headers,
    },
  })
  // A connection that is cut behind the answer.
  request.on('error', () => undefined)
  const looked = guardLooks(host)
  const answer = answerTo(request).finally(() => {
    server.closeAllConnections()
    server.close()
  })
  request.flushHeaders()
  await looked
  return {
    answer,
    finish(body) {
      request.end(bytesOf(body))
      return answer
    },
    write(piece) {
      request.write(piece)
    },
  }
}

function bytesOf(body: object): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
}

async function answerTo(request: http.ClientRequest): Promise<ParkedAnswer> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const text = Buffer.concat(await response.toArray()).toString()
  const [set] = response.headers['set-cookie'] ?? []
  return {
    status: response.statusCode ?? 0,
    body: response.headers['content-type']?.includes('json') ? JSON.parse(text) : {},
    text,
    cookie: set?.split(';', 1)[0] ?? null,
  }
}

/** The guard reads the record and the policy; what it does then takes no more input. */
async function guardLooks({ store }: Host): Promise<void> {
  const { find, findPolicy } = store
  await Promise.all([
    new Promise<void>((resolve) => {
      store.find = async (userId) => {
        store.find = find
        return find(userId).finally(resolve)
      }
    }),
    new Promise<void>((resolve) => {
      store.findPolicy = async () => {
        store.findPolicy = findPolicy
        return findPolicy().finally(resolve)
      }
    }),
  ])
  await new Promise((resolve) => setImmediate(resolve))
}
