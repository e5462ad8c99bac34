import type { Opened, SealContext, Sealer } from '../ports/sealer.js'
import { within } from '../ports/within.js'

const PART = 'the keys that seal the secrets'

/** The sealer, with the limit in time that every port has. What does not open is a refusal. */
export class Vault {
  readonly #sealer: Sealer

  constructor(sealer: Sealer) {
    this.#sealer = sealer
  }

  seal(secret: Uint8Array, context: SealContext): Promise<string> {
    return within(PART, () => this.#sealer.seal(secret, context))
  }

  open(sealed: string, context: SealContext): Promise<Opened> {
    return within(PART, async () => {
      const opened = await this.#sealer.open(sealed, context)
      // A code made from the empty key must never be right (passport-totp).
      if (opened.secret instanceof Uint8Array && opened.secret.length > 0) return opened
      throw new Error('an opened secret is empty')
    })
  }
}
