import type { DigestPurpose, Keys, SealPurpose } from '../factors/factor.js'
import type { Digester } from '../ports/digester.js'
import type { RequestInfo } from './announcer.js'
import type { Vault } from './vault.js'

/** Makes the keys for factors, bound to one user: a secret moved to another user does not open. */
export class KeysOfUsers {
  readonly #vault: Vault
  readonly #digester: Digester

  constructor(vault: Vault, digester: Digester) {
    this.#vault = vault
    this.#digester = digester
  }

  /**
   * @param requestInfo where it is announced that a secret can't be opened; null: nowhere
   * @returns keys whose calls end within the time limit of a port
   */
  of(userId: string, requestInfo: RequestInfo | null): Keys {
    return {
      keyIds: this.#digester.keyIds,
      seal: (secret, purpose: SealPurpose) => this.#vault.seal(secret, { purpose, userId }),
      open: (sealed, purpose: SealPurpose) =>
        this.#vault.open(sealed, { purpose, userId }, requestInfo),
      digests: (code, purpose: DigestPurpose) =>
        this.#digester.digests(code, { ...purpose, userId }),
    }
  }
}
