import { UnavailableError } from '../errors/unavailable-error.js'
import type { System } from '../ports/system.js'

const AT_MOST = 10

/**
 * The tries of one change, which begins again where it has lost a race. In a store that is slow, ten of them could take
 * twenty seconds; so none begins once the time of a single call has passed since the first.
 */
export class Tries {
  readonly #clock: () => number
  readonly #until: number
  #begun = 0

  /** @param timeout milliseconds that one call may take */
  constructor(system: Pick<System, 'monotonic'>, timeout: number) {
    this.#clock = () => system.monotonic?.() ?? performance.now()
    this.#until = this.#clock() + timeout
  }

  /** Begins the next try. False: there is none. */
  begin(): boolean {
    const isOver = this.#begun >= AT_MOST || this.#clock() > this.#until
    if (isOver && this.#begun > 0) return false
    this.#begun += 1
    return true
  }

  /** Why the change is refused once no try is left. */
  refusal(part: string, prize: string): UnavailableError {
    const races = this.#begun === 1 ? '1 race' : `${this.#begun} races`
    return new UnavailableError(part, new Error(`lost ${races} for ${prize}`))
  }
}
