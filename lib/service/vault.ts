import type { Opened, SealContext, Sealer } from '../ports/sealer.js'
import { briefly } from '../ports/time-limit.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { RequestInfo } from './announcer.js'
import type { UnreadableSecrets } from './unreadable-secrets.js'

const PART = 'the keys that seal the secrets'

/** The sealer, with the time limit of every port. A secret that does not open is a refusal. */
export class Vault {
  readonly #sealer: Sealer
  readonly #unreadable: UnreadableSecrets | null
  readonly #timeout: number

  /** @param timeout milliseconds that one call may take */
  constructor(sealer: Sealer, timeout: number, unreadable: UnreadableSecrets | null = null) {
    this.#sealer = sealer
    this.#timeout = timeout
    this.#unreadable = unreadable
  }

  seal(secret: Uint8Array, context: SealContext): Promise<string> {
    return withTimeout(PART, () => this.#sealer.seal(secret, context), this.#timeout)
  }

  /**
   * @param requestInfo where it is announced that the secret cannot be opened; null: nowhere
   * @throws UnavailableError
   */
  async open(
    sealed: string,
    context: SealContext,
    requestInfo: RequestInfo | null,
  ): Promise<Opened> {
    try {
      return await withTimeout(PART, () => this.#open(sealed, context), this.#timeout)
    } catch (error) {
      const { userId } = context
      const announcing = requestInfo && this.#unreadable?.announce(userId, requestInfo)
      if (announcing) await briefly(announcing, this.#timeout)
      throw error
    }
  }

  async #open(sealed: string, context: SealContext): Promise<Opened> {
    const opened = await this.#sealer.open(sealed, context)
    // A code made from the empty key must never be right (passport-totp).
    if (opened.secret instanceof Uint8Array && opened.secret.length > 0) return opened
    throw new Error('an opened secret is empty')
  }
}
