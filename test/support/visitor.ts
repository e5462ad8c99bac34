import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'

/** Accept headers. */
export const JSON_TYPE = 'application/json'
export const HTML = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'

/** What came back, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The JSON of it; empty where it is none. */
  readonly body: AnswerBody
}

/** The fields of JSON answers that tests look at. */
export interface AnswerBody {
  readonly status?: string | number
  readonly code?: string
  readonly next?: string
  readonly method?: string
  readonly secret?: string
  readonly type?: string
  readonly uri?: string
  readonly backupCodes?: readonly string[]
  readonly backupCodesLeft?: number
  readonly state?: string
  readonly mode?: string
  readonly setupDeadline?: string | null
  readonly pausedUntil?: string | null
  /** What is asked of the user's keys, and of a new one. */
  readonly webauthn?: PublicKeyCredentialRequestOptionsJSON | null
  readonly options?: PublicKeyCredentialCreationOptionsJSON
  readonly user?: { readonly id: string; readonly email: string; readonly name: string }
}

type Headers = Readonly<Record<string, string>>

/**
 * A browser as far as servers notice: keeps cookies and connections, follows nothing. Several of
 * them share their connections to a server, as tabs do.
 */
export class Visitor {
  readonly #cookies: Map<string, string>
  readonly #headers: Headers
  readonly #url: string
  /** Lets go of idle connections before servers do, after five seconds: they might not say so in time. */
  static readonly #agent = new Agent({ keepAlive: true, timeout: 3000 })

  /** @param headers sent with every request */
  constructor(url: string, headers: Headers = {}, cookies: Iterable<[string, string]> = []) {
    this.#url = url
    this.#headers = headers
    this.#cookies = new Map(cookies)
  }

  /** The same browser, at another server that knows its cookies. */
  at(url: string): Visitor {
    return new Visitor(url, this.#headers, this.#cookies)
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name)
  }

  getJson(path: string): Promise<Answer> {
    return this.#send('GET', path, { accept: JSON_TYPE })
  }

  getPage(path: string): Promise<Answer> {
    return this.#send('GET', path, { accept: HTML })
  }

  postJson(path: string, body: object = {}): Promise<Answer> {
    const headers = { accept: JSON_TYPE, 'content-type': JSON_TYPE }
    return this.#send('POST', path, headers, JSON.stringify(body))
  }

  putJson(path: string, body: object): Promise<Answer> {
    const headers = { accept: JSON_TYPE, 'content-type': JSON_TYPE }
    return this.#send('PUT', path, headers, JSON.stringify(body))
  }

  postForm(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const headers = { accept: HTML, 'content-type': 'application/x-www-form-urlencoded' }
    return this.#send('POST', path, headers, new URLSearchParams(fields).toString())
  }

  #send(method: string, path: string, headers: Headers, body = ''): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const length = method !== 'GET' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
    const all = {
      ...this.#headers,
      ...headers,
      ...length,
      ...(cookie === '' ? {} : { cookie }),
    }
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.#url),
        { method, headers: all, agent: Visitor.#agent },
        (res) => {
          this.#keepCookies(res.headers['set-cookie'] ?? [])
          const chunks: Buffer[] = []
          res.on('data', (chunk: Buffer) => chunks.push(chunk))
          res.on('error', reject)
          res.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const { headers, statusCode: status = 0 } = res
            resolve({ status, headers, text, body: jsonOf(text, headers) })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  #keepCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }
}

function jsonOf(text: string, headers: IncomingHttpHeaders): AnswerBody {
  return /[/+]json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : {}
}
