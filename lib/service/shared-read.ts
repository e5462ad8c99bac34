/**
 * One read for all who ask in the same turn of the event loop. It begins after the last of them has asked, so it
 * is as new for each of them as a read of their own. A server that is busy takes up several requests in a turn.
 */
export class SharedRead<T> {
  readonly #begin: () => Promise<T>
  #next: Promise<T> | null = null

  constructor(begin: () => Promise<T>) {
    this.#begin = begin
  }

  read(): Promise<T> {
    this.#next ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#next = null
      return this.#begin()
    })
    return this.#next
  }
}
