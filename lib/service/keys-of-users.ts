import type { DigestPurpose, Keys, SealPurpose } from '../factors/factor.js'
import type { Digester } from '../ports/digester.js'
import { within } from '../ports/with-timeout.js'
import type { Occasion } from './announcer.js'
import type { Vault } from './vault.js'

/** Makes the keys that factors work with, bound to one user: a secret moved to another one does not open. */
export class KeysOfUsers {
  readonly #vault: Vault
  readonly #digester: Digester

  constructor(vault: Vault, digester: Digester) {
    this.#vault = vault
    this.#digester = digester
  }

  /**
   * @param occasion where it is announced that a secret can't be opened; null: nowhere
   * @returns keys whose calls end within the time limit of a port
   */
  of(userId: string, occasion: Occasion | null): Keys {
    return {
      keyIds: this.#digester.keyIds,
      seal: (secret, purpose: SealPurpose) => this.#vault.seal(secret, { purpose, userId }),
      open: (sealed, purpose: SealPurpose) =>
        this.#vault.open(sealed, { purpose, userId }, occasion),
      digests: (code, purpose: DigestPurpose) =>
        within('the key ring', () => this.#digester.digests(code, { ...purpose, userId })),
    }
  }
}
