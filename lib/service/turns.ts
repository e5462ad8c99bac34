/** What is waited for: the newest document of a key, and who waits for a turn. */
interface Queue<Document> {
  newest: Document | null
  present: number
  /** How many have a turn: more than one only where somebody's patience was over. */
  atWork: number
  readonly waiting: (() => void)[]
}

/**
 * Lets changes of one document in this process go one after the other, each from what the one before has
 * written. At once, all but one would lose the race for it, read anew and decide again. It is a
 * convenience, no lock: other processes do not know of it, and nobody waits for long.
 */
export class Turns<Document extends { readonly version: number }> {
  readonly #queues = new Map<string, Queue<Document>>()
  readonly #patience: number

  /** @param patience milliseconds after which a change goes on, whatever it waits for */
  constructor(patience: number) {
    this.#patience = patience
  }

  /**
   * Runs a change at its turn. If it fails, all that wait go on at once: they must not wait for a store
   * that is silent, one after the other.
   *
   * @param change gets the newest document that a change before it has left, or null. `leave` hands on
   *   what it has written, and with it the turn
   */
  async run<T>(
    key: string,
    change: (newest: Document | null, leave: (written: Document) => void) => Promise<T>,
  ): Promise<T> {
    const queue = this.#queues.get(key) ?? { newest: null, present: 0, atWork: 0, waiting: [] }
    this.#queues.set(key, queue)
    queue.present += 1
    if (queue.atWork > 0) await this.#turn(queue)
    queue.atWork += 1
    let hasTurn = true
    const passOn = (toHowMany = 1) => {
      if (hasTurn) queue.atWork -= 1
      hasTurn = false
      for (const goOn of queue.waiting.splice(0, toHowMany)) goOn()
    }
    try {
      return await change(queue.newest, (written) => {
        if (written.version > (queue.newest?.version ?? 0)) queue.newest = written
        if (hasTurn) passOn()
      })
    } catch (error) {
      passOn(queue.waiting.length)
      throw error
    } finally {
      if (hasTurn) passOn()
      queue.present -= 1
      if (queue.present === 0) this.#queues.delete(key)
    }
  }

  #turn({ waiting }: Queue<Document>): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(goOn), 1)
        resolve()
      }, this.#patience)
      waiting.push(goOn)
    })
  }
}
