import { MINUTE_MS } from '../domain/units.js'
import { isGoodUntil } from '../factors/clock.js'
import type { System } from '../ports/system.js'
import type { Vault } from './vault.js'

/** How long a page that shows codes once can be reloaded. */
const SHOWN_FOR = MINUTE_MS

/** The action that led to a page of codes. */
export type CodesDone = 'enrolled' | 'key-changed' | 'added' | 'made'

/** Codes on a page that shows them once, with what else the page says. */
export interface ShownCodes {
  readonly codes: readonly string[]
  /** The code that the user gave for them, or null. */
  readonly given: string | null
  /** Until when they are good, ISO 8601; null: as long as they are not replaced. */
  readonly until: string | null
  /** Other sessions of the user ended with them. */
  readonly sessionsEnded: boolean
  /** The notice on the page, or null. */
  readonly done: CodesDone | null
}

/** The one page of one session on which they may be shown again. */
export interface ShownPlace {
  readonly userId: string
  /** Id of the session's stamp. */
  readonly stampId: string
  readonly page: string
}

/** The entry in the session. */
export interface KeptCodes {
  readonly page: string
  /** When they were made, in milliseconds. */
  readonly at: number
  /** Null when they may not be shown again: then the entry records only that they were made. */
  readonly sealed: string | null
}

/**
 * Keeps codes for a minute, for a reload of their page, which sends its form again. They are sealed
 * under the key ring and bound to user, session and page, so a copy of the sessions reveals none.
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
    if (sealed === null || !isGoodUntil(at + SHOWN_FOR, SHOWN_FOR, this.#system.now())) return null
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
