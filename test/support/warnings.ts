import { once } from 'node:events'

/** What a store says that an earlier test's host still asks in the background. */
export const TEST_HAS_ENDED = 'the test that this store was for has ended'

/** Milliseconds, on a busy machine. */
const WARNED_WITHIN = 10_000

/**
 * The process warnings of the package's that are emitted while something runs; none is printed.
 *
 * @param run gets what says which there are so far
 */
export async function warningsDuring(
  run: (soFar: () => readonly string[]) => unknown,
): Promise<readonly string[]> {
  const said: string[] = []
  const ours = () =>
    said.filter(
      (message) =>
        message.startsWith('passport-second-step: ') && !message.includes(TEST_HAS_ENDED),
    )
  const listen = ({ message }: Error) => void said.push(message)
  const others = process.listeners('warning')
  process.removeAllListeners('warning').on('warning', listen)
  try {
    await run(ours)
    // Node emits them one tick later.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listen)
    for (const other of others) process.on('warning', other)
  }
  return ours()
}

/** The same until one has these words: some come by a look at the store that the answer does not wait for. */
export function warningsUntil(words: string, run: () => unknown): Promise<readonly string[]> {
  return warningsDuring(async (soFar) => {
    const signal = AbortSignal.timeout(WARNED_WITHIN)
    await run()
    while (!soFar().some((message) => message.includes(words)) && !signal.aborted) {
      // What is missing is told by whoever looks for it.
      await once(process, 'warning', { signal }).catch(() => undefined)
    }
  })
}
