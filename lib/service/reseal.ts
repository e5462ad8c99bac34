import { withCodes } from '../domain/authenticators.js'
import type { SecondStepRecord } from '../domain/record.js'
import { currentSetup } from '../domain/setup.js'
import { hasSecret } from '../factors/factors.js'
import type { SealContext } from '../ports/sealer.js'
import type { RequestInfo } from './announcer.js'
import type { Records } from './records.js'
import type { Vault } from './vault.js'

/** A secret that is not under the first key of the ring, and why. */
interface LeftSecret {
  /** The key that it is under. Null: no key of the ring opens it. */
  readonly keyId: string | null
  readonly error: unknown
}

/** What became of the secrets of one record. */
export interface Resealed {
  /** The number of secrets that were sealed anew. */
  readonly sealed: number
  /** Whether any secret is under the first key now. */
  readonly upToDate: boolean
  readonly left: readonly LeftSecret[]
}

interface Fresh<Part> {
  /** The same object that came in, if its secret was not sealed anew. */
  readonly part: Part
  readonly left: LeftSecret | null
}

/** Seals secrets again under the first key of the ring, so that an older key can be removed. */
export class Reseal {
  readonly #records: Records
  readonly #vault: Vault

  constructor(records: Records, vault: Vault) {
    this.#records = records
    this.#vault = vault
  }

  /**
   * Seals the secrets of one record, by compare-and-set, so that it is safe while the app runs: if
   * the record changes meanwhile, it reads and seals again. A secret that cannot be opened does not
   * keep the others back. A set-up whose time is over is removed: its key may be gone.
   *
   * @param known the record as it was just read
   * @throws UnavailableError where the record cannot be read or written
   */
  record(known: SecondStepRecord, requestInfo: RequestInfo): Promise<Resealed> {
    const { userId } = known
    return this.#records.change(
      userId,
      requestInfo,
      async (record, now) => {
        const context = { purpose: 'authenticator', userId } as const
        const sealed = withCodes(record)
        const fresh = await Promise.all(sealed.map((one) => this.#fresh(one, context)))
        const current = currentSetup(record, now)
        const begun = current !== null && hasSecret(current) ? current : null
        const setup = begun && (await this.#fresh(begun, { purpose: 'setup', userId }))
        const answer = resealed(
          [...sealed, ...(begun === null ? [] : [begun])],
          [...fresh, ...(setup === null ? [] : [setup])],
        )
        const same = answer.sealed === 0 && current === record.setup
        // A key has no secret.
        const authenticators = record.authenticators.map((one) => {
          const at = sealed.findIndex(({ id }) => id === one.id)
          return fresh[at]?.part ?? one
        })
        const next = { ...record, authenticators, setup: setup?.part ?? current }
        return { record: same ? record : next, answer, events: [] }
      },
      known,
    )
  }

  async #fresh<Part extends { readonly secret: string }>(
    part: Part,
    context: SealContext,
  ): Promise<Fresh<Part>> {
    let openedBy: string | null = null
    try {
      const { secret, stale, keyId } = await this.#vault.open(part.secret, context, null)
      if (!stale) return { part, left: null }
      openedBy = keyId
      return { part: { ...part, secret: await this.#vault.seal(secret, context) }, left: null }
    } catch (error) {
      return { part, left: { keyId: openedBy, error } }
    }
  }
}

function resealed(before: readonly unknown[], after: readonly Fresh<unknown>[]): Resealed {
  return {
    sealed: after.filter(({ part }, index) => part !== before[index]).length,
    upToDate: after.some(({ left }) => left === null),
    left: after.flatMap(({ left }) => left ?? []),
  }
}
