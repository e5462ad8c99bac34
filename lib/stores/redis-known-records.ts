import { frozen } from './frozen.js'
import { recordOfBytes } from './redis-lost.js'

const REMEMBERED_AT_MOST = 1000

interface Known {
  readonly bytes: Uint8Array
  readonly record: object
}

/**
 * The records that were read lately, beside their bytes. A record that is read anew and has the very
 * same bytes need not be decoded anew, which is most of what a guard would do at each request.
 */
export class KnownRecords {
  readonly #known = new Map<string, Known>()

  /**
   * @param bytes as they are stored now
   * @returns frozen, because requests share it
   * @throws as `recordOfBytes` does
   */
  recordOf(key: string, bytes: Buffer): object {
    const known = this.#known.get(key)
    if (known !== undefined && bytes.equals(known.bytes)) return known.record
    const record = frozen(recordOfBytes(key, bytes))
    this.#remember(key, { bytes: new Uint8Array(bytes), record })
    return record
  }

  #remember(key: string, known: Known): void {
    if (this.#known.size >= REMEMBERED_AT_MOST && !this.#known.has(key)) {
      const [oldest = ''] = this.#known.keys()
      this.#known.delete(oldest)
    }
    this.#known.set(key, known)
  }
}
