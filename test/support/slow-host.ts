import { Passport } from 'passport'
import { memoryStore } from '../../lib/index.js'
import { ann, bob, type Host, type HostOptions, type HostUser, makeHost } from './host.js'

type Later = () => void
type Call = 'serializeUser' | 'deserializeUser' | 'destroy' | 'set'

/** Milliseconds: nothing but what a test holds back is ever waited for. */
const TIMEOUT = 200

/** A host whose serialisers and session store answer when the test says so. It has little patience. */
export class SlowHost {
  readonly host: Host
  readonly #waiting: Later[] = []
  /** What does not answer until `comeLate()`. */
  slow: Call | null = null
  /** The same for its next call alone. */
  slowOnce: Call | null = null

  constructor(options: HostOptions = {}) {
    const users: readonly HostUser[] = [ann, bob]
    const passport = new Passport()
    const find = (id: unknown) => users.find((user) => user.id === id) ?? false
    passport.serializeUser((user, done) =>
      this.#when('serializeUser', () => done(null, (user as HostUser).id)),
    )
    passport.deserializeUser((id, done) =>
      this.#when('deserializeUser', () => done(null, find(id))),
    )
    // The first that is registered answers: in front of the host's own.
    // A database may be slow by itself, where a test is about the host's own parts.
    const given = { timeout: TIMEOUT, store: memoryStore(), ...options.options }
    this.host = makeHost({ ...options, options: given, passport })
    for (const call of ['destroy', 'set'] as const) {
      const now = this.host.sessions[call].bind(this.host.sessions) as (...args: unknown[]) => void
      Reflect.set(this.host.sessions, call, (...args: unknown[]) =>
        this.#when(call, () => now(...args)),
      )
    }
  }

  #when(call: Call, answer: Later): void {
    const late = this.slow === call || this.slowOnce === call
    if (this.slowOnce === call) this.slowOnce = null
    if (late) this.#waiting.push(answer)
    else answer()
  }

  /** Everything that was waited for comes now, in vain. */
  async comeLate(): Promise<void> {
    this.slow = null
    for (const answer of this.#waiting.splice(0)) answer()
    // What is written goes through the store's own next tick.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}
