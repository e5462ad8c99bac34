import { system } from '../ports/system.js'

/** Where progress is told. */
export interface ProgressStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Tells how many are done. */
export interface Progress {
  /** One more is done. */
  step(): void
  /** All are: the line that was written over and over goes. */
  end(): void
}

const ON_A_TERMINAL = 200
const IN_A_LOG = 10_000

/**
 * Says how far a long command is: on a terminal by one line that is written over, else by a line now
 * and then. Nobody knows how many records there are before they were read.
 */
export function progress(
  what: string,
  stream: ProgressStream = process.stderr,
  now: () => number = system.now,
): Progress {
  const terminal = stream.isTTY === true
  const pause = terminal ? ON_A_TERMINAL : IN_A_LOG
  let done = 0
  let told = now()
  let line = false
  return {
    step() {
      done += 1
      if (now() - told < pause) return
      told = now()
      line = terminal
      const text = `${what}: ${done} so far`
      stream.write(terminal ? `\r${text}` : `${text}\n`)
    },
    end() {
      // ECMA-48 §8.3.41: erases the line.
      if (line) stream.write('\r\u001b[2K')
    },
  }
}
