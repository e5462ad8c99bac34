import { frozen } from './frozen.js'
import { parseDocument } from './redis-lost.js'

/**
 * The policy that was read last, beside its bytes. It is read at every request, and changes once in a year: while its
 * bytes are the very same it need not be parsed anew.
 */
export class KnownPolicy {
  #bytes = new Uint8Array()
  #document: object | null = null

  /**
   * @param bytes as they are stored now
   * @returns frozen, because requests share it
   * @throws as `parseDocument` does
   */
  documentOf(key: string, bytes: Buffer): object {
    if (this.#document !== null && bytes.equals(this.#bytes)) return this.#document
    this.#document = frozen(parseDocument(key, bytes.toString()))
    this.#bytes = new Uint8Array(bytes)
    return this.#document
  }
}
