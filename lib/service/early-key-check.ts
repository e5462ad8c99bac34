import type { FailureReporter } from './failure-reporter.js'
import { MovedKeys } from './moved-keys.js'
import type { Records } from './records.js'

const SOON = 1000
const PAGE = 100

/** Keys move all at once, so many users tell of it; a start must not read a million records. */
const USERS_AT_MOST = 1000

interface Parts {
  readonly records: Pick<Records, 'list'>
  readonly rpId: string
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  readonly failureReporter: FailureReporter
  readonly now: () => number
}

/**
 * Looks through the first users soon after the start, and tells the operator of security keys that were made
 * for another domain than the app has now.
 */
export class EarlyKeyCheck {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The timer is unref'd. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.look()
    }, SOON)
    this.#timer.unref()
  }

  /** Resolves when the page under way is read. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** Never rejects: reports failures to the operator. */
  async look(): Promise<void> {
    const { records, rpId, hostIdOf, failureReporter, now } = this.#parts
    const moved = new MovedKeys(rpId)
    let read = 0
    let cursor: string | null = null
    try {
      do {
        const query = { list: 'enrolled', cursor, limit: PAGE, now: now() } as const
        const page: Awaited<ReturnType<Records['list']>> = await records.list(query)
        if (page === null) throw new Error('the record store does not know its own cursor')
        for (const record of page.records) if (hostIdOf(record.userId) !== null) moved.add(record)
        read += PAGE
        cursor = page.next
      } while (cursor !== null && read < USERS_AT_MOST && !this.#stopped)
      tell(moved, cursor === null)
    } catch (error) {
      failureReporter.report(error)
    }
  }
}

function tell(moved: MovedKeys, isAll: boolean): void {
  for (const sentence of moved.sentences()) {
    const some = `of the first ${USERS_AT_MOST} users with a second step (the command check counts all), `
    process.emitWarning(`passport-second-step: ${isAll ? '' : some}${sentence}`)
  }
}
