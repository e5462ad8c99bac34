import { MINUTE_MS } from '../domain/units.js'
import { shortName, shortNames } from '../domain/write-name.js'
import type { System } from '../ports/system.js'

/** How long a store that answers is asked for a write. */
const LOOKED_FOR = MINUTE_MS
/** How long at most, also while the store does not answer. */
const REMEMBERED_FOR = 15 * MINUTE_MS
const REMEMBERED_AT_MOST = 1000

/** What tells one write of a document from every other. */
export interface Named {
  readonly version: number
  readonly writeId: string
}

/** What is told of a write. */
export interface News {
  /** Whether there is anything to tell. */
  readonly isAnnounced: boolean
  readonly announce: () => Promise<void>
}

/** A write, and what is owed once it has taken place. */
export interface SentWrite {
  readonly document: Named
  /** Reads the document anew and shows it to `seen`. */
  readonly read: () => Promise<Named>
  readonly news: News
}

interface Owed extends SentWrite {
  /** Whether its caller was refused, so that nobody else announces it. */
  refused: boolean
  tookPlace: boolean
  until: number
  forgottenAt: number
}

/**
 * Writes that ended in an error, so that nobody knows whether they took place: a statement can wait in a
 * connection and change the record after its request was refused. They are looked for in the
 * background and announced if they did take place. Otherwise whoever slows the store down could
 * change a factor in silence.
 *
 * A record names its last writes, so that one is found also where another process has written over it.
 * A write that is further back is announced only if the store itself confirms it, however late.
 */
export class LateWrites {
  readonly #system: System
  readonly #every: number
  readonly #report: (error: unknown) => void
  /** Under way and watched, by short name. */
  readonly #owed = new Map<string, Owed>()
  readonly #watched = new Set<Owed>()
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<unknown> = Promise.resolve()
  #stopped = false

  /**
   * @param every milliseconds between two looks
   * @param report tells the operator what failed in the background
   */
  constructor(
    system: System,
    { every, report }: { every: number; report: (error: unknown) => void },
  ) {
    this.#system = system
    this.#every = every
    this.#report = report
  }

  /**
   * Runs a write. If it rejects, it is watched from then on; otherwise the caller announces it.
   *
   * @param write calls `confirm` once the store has confirmed the write, however late
   */
  async run<T>(sent: SentWrite, write: (confirm: () => void) => Promise<T>): Promise<T> {
    const { document, read, news } = sent
    const state = { refused: false, tookPlace: false, until: 0, forgottenAt: 0 }
    const owed = { document, read, news, ...state }
    this.#owed.set(shortName(document.writeId), owed)
    try {
      const answer = await write(() => this.#confirm(owed))
      this.#forget(owed)
      return answer
    } catch (error) {
      owed.refused = true
      if (owed.tookPlace) this.#tell(owed)
      else this.#watch(owed)
      throw error
    }
  }

  /** Takes note of a document as it was just read: the writes that it names have taken place. */
  seen({ writeId }: Named): void {
    if (this.#owed.size === 0) return
    const names = shortNames(writeId)
    for (let nth = names.length - 1; nth >= 0; nth -= 1) {
      const owed = this.#owed.get(names[nth] ?? '')
      if (owed !== undefined) this.#confirm(owed)
    }
  }

  /** Looks for every write once. Never rejects. A store that does not answer is asked only once. */
  look(): Promise<void> {
    return this.#look().catch(this.#report)
  }

  async #look(): Promise<void> {
    const now = this.#system.now()
    for (const owed of [...this.#watched]) if (now >= owed.forgottenAt) this.#forget(owed)
    for (const owed of [...this.#watched]) {
      if (!this.#watched.has(owed)) continue
      try {
        this.#judge(owed, await owed.read())
      } catch {
        this.#lookAgain(owed)
        return
      }
    }
  }

  /** Looks a last time. Resolves when what was found is announced. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.look()
    await this.#telling
  }

  #confirm(owed: Owed): void {
    if (owed.tookPlace) return
    owed.tookPlace = true
    if (owed.refused) this.#tell(owed)
  }

  #tell(owed: Owed): void {
    this.#forget(owed)
    const telling = owed.news.announce().catch(this.#report)
    this.#telling = Promise.all([this.#telling, telling])
  }

  #watch(owed: Owed): void {
    if (!owed.news.isAnnounced || this.#watched.size >= REMEMBERED_AT_MOST) {
      this.#forget(owed)
      return
    }
    const now = this.#system.now()
    owed.until = now + LOOKED_FOR
    owed.forgottenAt = now + REMEMBERED_FOR
    this.#watched.add(owed)
    this.#lookLater()
  }

  #lookLater(): void {
    if (this.#stopped || this.#timer !== undefined || this.#watched.size === 0) return
    this.#timer = setTimeout(async () => {
      await this.look()
      this.#timer = undefined
      this.#lookLater()
    }, this.#every)
    this.#timer.unref()
  }

  /** A version that does not name this write, and is no earlier one, never will. */
  #judge(owed: Owed, stored: Named): void {
    const isLate = this.#system.now() >= owed.until
    if (isLate || stored.version >= owed.document.version) this.#forget(owed)
  }

  /**
   * While the store is away, the time of no write runs. The one that failed goes to the end, so that a
   * single damaged record does not keep the others waiting.
   */
  #lookAgain(failed: Owed): void {
    const until = this.#system.now() + LOOKED_FOR
    for (const owed of this.#watched) owed.until = until
    if (this.#watched.delete(failed)) this.#watched.add(failed)
  }

  #forget(owed: Owed): void {
    this.#owed.delete(shortName(owed.document.writeId))
    if (this.#watched.size > 0) this.#watched.delete(owed)
  }
}
