/** How long one change may keep the others waiting: much longer than a store takes that is well. */
const HELD_FOR = 50

/** What is waited for: the newest document of a key, and who waits for a turn. */
interface Queue<Document> {
  newest: Document | null
  present: number
  /** Whose turn it is: more than one only where somebody's patience was over. */
  readonly atWork: Set<object>
  readonly waiting: (() => void)[]
  timer: NodeJS.Timeout | undefined
}

/**
 * Lets changes of one document in this process go one after the other, each from what the one before has
 * written. At once, all but one would lose the race for it, read anew and decide again. It is a
 * convenience, no lock: other processes do not know of it. Nobody waits for long, not for a store that is
 * silent, and not for a change that itself waits for whoever waits here.
 */
export class Turns<Document extends { readonly version: number }> {
  readonly #queues = new Map<string, Queue<Document>>()
  readonly #patience: number

  /** @param patience milliseconds after which a change goes on, whatever it waits for */
  constructor(patience: number) {
    this.#patience = patience
  }

  /**
   * Runs a change at its turn. If it fails, or takes long, all that wait go on at once.
   *
   * @param change gets the newest document that a change before it has left, or null. `leave` hands on
   *   what it has written, and with it the turn
   */
  async run<T>(
    key: string,
    change: (newest: Document | null, leave: (written: Document) => void) => Promise<T>,
  ): Promise<T> {
    const queue = this.#queues.get(key) ?? newQueue<Document>()
    this.#queues.set(key, queue)
    queue.present += 1
    if (queue.atWork.size > 0) await this.#turn(queue)
    const turn = {}
    queue.atWork.add(turn)
    const passOn = () => {
      if (queue.atWork.delete(turn)) goOn(queue, 1)
    }
    try {
      return await change(queue.newest, (written) => {
        if (written.version > (queue.newest?.version ?? 0)) queue.newest = written
        passOn()
      })
    } catch (error) {
      goOn(queue, queue.waiting.length)
      throw error
    } finally {
      passOn()
      queue.present -= 1
      if (queue.present === 0) this.#queues.delete(key)
    }
  }

  #turn(queue: Queue<Document>): Promise<void> {
    const { waiting } = queue
    return new Promise((resolve) => {
      const called = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(called), 1)
        resolve()
      }, this.#patience)
      waiting.push(called)
      queue.timer ??= setTimeout(() => {
        // Who comes next does not wait for these either.
        queue.atWork.clear()
        goOn(queue, waiting.length)
      }, HELD_FOR)
    })
  }
}

function newQueue<Document>(): Queue<Document> {
  return { newest: null, present: 0, atWork: new Set(), waiting: [], timer: undefined }
}

/** Calls so many of those that wait. The next turn has its time from now. */
function goOn(queue: Queue<unknown>, howMany: number): void {
  for (const called of queue.waiting.splice(0, howMany)) called()
  if (queue.waiting.length > 0) {
    queue.timer?.refresh()
    return
  }
  clearTimeout(queue.timer)
  queue.timer = undefined
}
