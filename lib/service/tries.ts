import { UnavailableError } from '../errors/unavailable-error.js'
import type { System } from '../ports/system.js'

const AT_MOST = 10
/** On a machine with too much to do, the first alone may take that time, and the next finds what another has written. */
const AT_LEAST = 3

/**
 * The tries of one change, which begins again where it has lost a race. In a store that is slow, ten of them could take
 * twenty seconds; so after three none begins once the time of a single call has passed since the first.
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
    const isLate = this.#begun >= AT_LEAST && this.#clock() > this.#until
    if (isLate || this.#begun >= AT_MOST) return false
    this.#begun += 1
    return true
  }

  /** Why the change is refused once no try is left. */
  refusal(part: string, prize: string): UnavailableError {
    return new UnavailableError(part, new Error(`lost ${this.#begun} races for ${prize}`))
  }
}
