import { HOUR_S, MINUTE_S } from '../domain/units.js'
import { system } from '../ports/system.js'

/** Shows the progress of a long command. */
export interface ProgressStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Shows how many are done. */
export interface Progress {
  /** The work begins. @param total how many there are, or null where nobody knows */
  begin(total: number | null): void
  /** One more is done. */
  step(): void
  /** All are done, or the work failed: erases the progress line. */
  end(): void
}

const ON_A_TERMINAL = 200
const IN_A_LOG = 10_000
// ECMA-48 §8.3.41: erases the line.
const ERASED = '\r\u001b[2K'

/**
 * Shows the progress of a long command: on a terminal in one line that is overwritten, elsewhere in
 * a new line now and then.
 */
export function progress(
  what: string,
  stream: ProgressStream = process.stderr,
  now: () => number = system.now,
): Progress {
  const terminal = stream.isTTY === true
  const pause = terminal ? ON_A_TERMINAL : IN_A_LOG
  let [done, begun, told] = [0, now(), now()]
  let whole: number | null = null
  let line = false
  return {
    begin(total) {
      whole = total
      begun = now()
    },
    step() {
      done += 1
      if (now() - told < pause) return
      told = now()
      line = terminal
      const text = `${what}: ${howFar(done, whole, now() - begun)}`
      stream.write(terminal ? `${ERASED}${text}` : `${text}\n`)
    },
    end() {
      if (line) stream.write(ERASED)
      line = false
    },
  }
}

function howFar(done: number, total: number | null, elapsed: number): string {
  if (total === null || total < done) return `${done} so far`
  const rest = Math.ceil((elapsed / done) * (total - done)) / 1000
  return `${done} of ${total}, about ${duration(rest)} left`
}

function duration(seconds: number): string {
  if (seconds < 2 * MINUTE_S) return `${Math.ceil(seconds)} s`
  if (seconds < 2 * HOUR_S) return `${Math.ceil(seconds / MINUTE_S)} min`
  return `${Math.ceil(seconds / HOUR_S)} h`
}
