import type { Signals } from '../ports/signals.js'
import type { KeptLooks } from './kept-looks.js'

/** Is told of every write. `userId` null: of the policy. */
export interface WriteWatcher {
  /** The write is sent now. */
  begun(userId: string | null): void
  /** Its end is known, or it ended in an error. */
  over(userId: string | null, hasChanged: boolean): void
}

const POLICY = 'policy'

interface Parts {
  readonly keptLooks: Pick<KeptLooks, 'drop' | 'dropAll'>
  /** Null where the store has no way to tell other processes. */
  readonly signals: Signals | null
  /** Empty for none. Records of another realm are no business of this one; the policy is everybody's. */
  readonly realm: string
  readonly report: (error: unknown) => void
}

/**
 * Drops what is kept of a user or of the policy when it changes: at once in this process, and in the
 * others by a signal. A signal can do nothing else, whoever sent it.
 */
export class ChangeNews implements WriteWatcher {
  readonly #parts: Parts
  readonly #usersTopic: string
  readonly #sending = new Set<Promise<void>>()
  #listening: { close(): void } | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.#usersTopic = `users:${parts.realm}`
  }

  begun(userId: string | null): void {
    this.#drop(userId)
  }

  over(userId: string | null, hasChanged: boolean): void {
    this.#drop(userId)
    if (hasChanged) this.#send(userId)
  }

  /** Listens to the other processes until `close()`. */
  listen(): void {
    const { signals, keptLooks, report } = this.#parts
    this.#listening ??=
      signals?.listen([POLICY, this.#usersTopic], {
        heard: (topic, subject) => this.#drop(topic === POLICY ? null : subject),
        missed: () => keptLooks.dropAll(),
        failed: report,
      }) ?? null
  }

  /** Resolves when everything is sent. */
  async close(): Promise<void> {
    this.#listening?.close()
    this.#listening = null
    await Promise.all(this.#sending)
  }

  #drop(userId: string | null): void {
    const { keptLooks } = this.#parts
    if (userId === null) keptLooks.dropAll()
    else keptLooks.drop(userId)
  }

  /** Nobody waits for it: the change is felt within the time of an entry in any case. */
  #send(userId: string | null): void {
    const { signals, report } = this.#parts
    if (signals === null) return
    const topic = userId === null ? POLICY : this.#usersTopic
    // A store's own may throw at once, or return nothing: the write that it tells of has taken place.
    const send = async () => signals.send(topic, userId ?? '')
    const sending = send().catch(report)
    this.#sending.add(sending)
    void sending.finally(() => this.#sending.delete(sending))
  }
}
