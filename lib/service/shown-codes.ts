import { MINUTE_MS } from '../domain/units.js'
import type { System } from '../ports/system.js'
import type { Vault } from './vault.js'

/** For how long a page that shows codes once can be loaded again. */
const SHOWN_FOR = MINUTE_MS

/** What has led to a page of codes. */
export type CodesDone = 'enrolled' | 'key-changed' | 'made'

/** Codes on a page that shows them once, with what else the page says. */
export interface ShownCodes {
  readonly codes: readonly string[]
  /** The code that they were asked for with; null where none was. */
  readonly given: string | null
  /** Until when they are good, ISO 8601; null: as long as they are not replaced. */
  readonly until: string | null
  /** Other sessions of the user ended with them. */
  readonly sessionsEnded: boolean
  /** What the page says was done; null: nothing. */
  readonly done: CodesDone | null
}

/** The one page of one session on which they may be shown again. */
export interface ShownPlace {
  readonly userId: string
  /** Id of the session's stamp. */
  readonly stampId: string
  readonly page: string
}

/** What the session keeps of them. */
export interface KeptCodes {
  readonly page: string
  /** When they were made, in milliseconds. */
  readonly at: number
  /** Null once they are not to be shown again; then it says only that they were made. */
  readonly sealed: string | null
}

/**
 * Keeps codes for a reload of the page that shows them, which sends its form again: sealed under the
 * key ring, bound to user, session and page, and for a minute. A copy of the sessions shows none.
 */
export class ShowAgain {
  readonly #vault: Vault
  readonly #system: System

  constructor({ vault, system }: { vault: Vault; system: System }) {
    this.#vault = vault
    this.#system = system
  }

  /** @throws UnavailableError where they can't be sealed */
  async keep(shown: ShownCodes, place: ShownPlace): Promise<KeptCodes> {
    const at = this.#system.now()
    const sealed = await this.#vault.seal(Buffer.from(JSON.stringify(shown)), contextOf(place, at))
    return { page: place.page, at, sealed }
  }

  /** @returns null where they are over, or were kept elsewhere */
  async open({ at, sealed }: KeptCodes, place: ShownPlace): Promise<ShownCodes | null> {
    const age = this.#system.now() - at
    if (sealed === null || age < 0 || age >= SHOWN_FOR) return null
    try {
      const { secret } = await this.#vault.open(sealed, contextOf(place, at), null)
      return JSON.parse(Buffer.from(secret).toString())
    } catch {
      return null
    }
  }
}

function contextOf({ userId, stampId, page }: ShownPlace, at: number) {
  return { purpose: 'shown-codes', userId, place: JSON.stringify([stampId, page, at]) } as const
}
