import type { SecondStepRecord } from '../domain/record.js'
import type { SealContext } from '../ports/sealer.js'
import type { RequestInfo } from './announcer.js'
import type { Records } from './records.js'
import type { Vault } from './vault.js'

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
   * the record changes meanwhile, it reads and seals again.
   *
   * @param known the record as it was just read
   * @returns whether there was anything to do
   * @throws UnavailableError where a secret cannot be opened
   */
  record(known: SecondStepRecord, requestInfo: RequestInfo): Promise<boolean> {
    const { userId } = known
    return this.#records.change(
      userId,
      requestInfo,
      async (record) => {
        const context = { purpose: 'authenticator', userId } as const
        const authenticators = await Promise.all(
          record.authenticators.map((one) => this.#fresh(one, context)),
        )
        const setup =
          record.setup && (await this.#fresh(record.setup, { purpose: 'setup', userId }))
        const moved = authenticators.some((one, index) => one !== record.authenticators[index])
        const same = !moved && setup === record.setup
        return {
          record: same ? record : { ...record, authenticators, setup },
          answer: !same,
          events: [],
        }
      },
      known,
    )
  }

  /** The same object that came in, if its secret is under the first key already. */
  async #fresh<Part extends { readonly secret: string }>(
    part: Part,
    context: SealContext,
  ): Promise<Part> {
    const { secret, stale } = await this.#vault.open(part.secret, context, null)
    return stale ? { ...part, secret: await this.#vault.seal(secret, context) } : part
  }
}
