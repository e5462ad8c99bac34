import { type Answer, Visitor } from '../../test/support/visitor.js'
import { type Attempt, isSuccess, type Step } from './history.js'
import type { Recorder } from './recorder.js'
import { type FleetUser, PASSWORD } from './users.js'

/** Who notes what all browsers do, and tells which app a port belongs to. */
export interface Desk {
  readonly recorder: Recorder
  appAt(port: string): string | null
}

let browsers = 0

/** One login of a user, in a browser with an address of its own. All that it does is in the history. */
export class Browser {
  readonly #id: number
  readonly #user: FleetUser
  readonly #visitor: Visitor
  readonly #desk: Desk

  constructor(url: string, user: FleetUser, desk: Desk) {
    browsers += 1
    this.#id = browsers
    this.#user = user
    this.#desk = desk
    // The range for benchmarks (RFC 2544): nobody's address is blocked for wrong codes of others.
    const address = `198.${18 + ((browsers >> 16) & 1)}.${(browsers >> 8) & 255}.${browsers & 255}`
    this.#visitor = new Visitor(url, { 'x-forwarded-for': address })
  }

  /** @returns whether the second step is open now */
  async password(): Promise<boolean> {
    const login = { username: this.#user.email, password: PASSWORD }
    const { verdict } = await this.#note('password', null, () =>
      this.#visitor.postJson('/login', login),
    )
    return verdict === 'code-required'
  }

  /** @param name the code's name in the history @returns whether it has signed in */
  async code(name: string, code: string): Promise<boolean> {
    const attempt = await this.#note('code', name, () =>
      this.#visitor.postJson('/second-step/challenge', { code }),
    )
    return isSuccess(attempt)
  }

  /** Asks for a page that only who is signed in may see. */
  async page(): Promise<void> {
    await this.#note('page', null, () => this.#visitor.getJson('/account'))
  }

  async #note(step: Step, code: string | null, ask: () => Promise<Answer>): Promise<Attempt> {
    const { recorder } = this.#desk
    const called = recorder.now()
    const answer = await ask().catch(() => null)
    const attempt: Attempt = {
      kind: 'attempt',
      browser: this.#id,
      user: this.#user.id,
      step,
      code,
      app: this.#appOf(answer),
      elsewhere: elsewhere(answer),
      called,
      answered: recorder.now(),
      status: answer?.status ?? null,
      verdict: verdictOf(answer),
    }
    recorder.add(attempt)
    return attempt
  }

  /** The last of those that the proxy asked. */
  #appOf(answer: Answer | null): string | null {
    const asked = answer?.headers['x-answered-by'] ?? ''
    const [, port = ''] = /:(\d+)$/.exec(String(asked)) ?? []
    return this.#desk.appAt(port)
  }
}

/** The proxy says seconds, of each app that it asked: a GET without an answer goes on to the next one. */
function elsewhere(answer: Answer | null): number {
  const each = String(answer?.headers['x-answered-in'] ?? '').split(/[,:]/)
  return each.slice(0, -1).reduce((sum, seconds) => sum + 1000 * (Number(seconds) || 0), 0)
}

/** A page of the proxy's own is no JSON. */
function verdictOf(answer: Answer | null): string {
  if (answer === null) return 'none'
  const { code, status, user } = answer.body
  return code ?? (user === undefined ? String(status ?? 'gateway') : 'in')
}
