/** A call that has not answered yet. */
export interface Waiting {
  readonly since: number
  readonly onSilence: (error: Error) => void
}

/** Milliseconds that a timer fires late by where the process stood still: its machine paused, say. */
const STOOD_STILL = 50

/** Milliseconds to read the answers that came meanwhile. */
const TO_READ = 50

/**
 * The calls that wait for an answer, all with the same limit of time. One timer serves them all,
 * because every request makes such calls and nearly all of them answer: it is set for the call that
 * has waited longest, and is looked at again when it fires.
 */
class TimeLimit {
  readonly #timeout: number
  /** The one that has waited longest comes first. */
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | undefined
  /** Whether the timer had fired late, and the calls were given the time to read. */
  #excused = false

  constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** @param onSilence called once, unless the call ends in time */
  begin(onSilence: (error: Error) => void): Waiting {
    const waiting = { since: performance.now(), onSilence }
    this.#waiting.add(waiting)
    if (this.#timer === undefined) this.#wait(this.#timeout)
    else if (this.#waiting.size === 1) this.#timer.ref()
    return waiting
  }

  end(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    // Nobody waits for it, so it must not keep the process alive.
    if (this.#waiting.size === 0) this.#timer?.unref()
  }

  #wait(milliseconds: number): void {
    const due = performance.now() + milliseconds
    this.#timer = setTimeout(() => this.#look(due), milliseconds)
  }

  #look(due: number): void {
    this.#timer = undefined
    const now = performance.now()
    if (this.#isExcused(now - due)) {
      this.#wait(TO_READ)
      return
    }
    for (const waiting of this.#waiting) {
      const left = waiting.since + this.#timeout - now
      // A timer may fire a fraction of a millisecond early.
      if (left > 0) {
        this.#wait(Math.ceil(left))
        return
      }
      this.#waiting.delete(waiting)
      waiting.onSilence(this.#silence())
    }
  }

  /** Once: timers come before answers, and a process that stood still has not looked at these yet. */
  #isExcused(late: number): boolean {
    this.#excused = !this.#excused && late > STOOD_STILL && this.#waiting.size > 0
    return this.#excused
  }

  #silence(): Error {
    const error = new Error(`no answer within ${this.#timeout} ms`)
    return Object.assign(error, { code: 'ETIMEDOUT' })
  }
}

const limits = new Map<number, TimeLimit>()

/**
 * The calls that share a limit.
 *
 * @param timeout milliseconds, as the host's options say it: there are few different ones
 */
export function timeLimit(timeout: number): TimeLimit {
  const known = limits.get(timeout)
  if (known !== undefined) return known
  const limit = new TimeLimit(timeout)
  limits.set(timeout, limit)
  return limit
}

/**
 * Waits for what may as well be done later, or never: a quarter of the time of a call, so that the call that follows
 * has its own within the two seconds of a refusal. Never rejects.
 *
 * @param timeout milliseconds that a call may take
 */
export async function briefly(work: Promise<unknown>, timeout: number): Promise<void> {
  await inTime(work, timeout / 4).catch(() => undefined)
}

/**
 * The answer, if it comes in time. A later one has no effect.
 *
 * @param refusal what to reject with otherwise
 */
export function inTime<T>(
  answer: Promise<T>,
  timeout: number,
  refusal: (silence: Error) => Error = (silence) => silence,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = timeLimit(timeout)
    const waiting = limit.begin((silence) => reject(refusal(silence)))
    void answer.then(resolve, reject).finally(() => limit.end(waiting))
  })
}
