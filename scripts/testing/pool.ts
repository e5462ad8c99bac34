/** Runs one thing; what it leads to is run as well. */
export interface Job {
  /** How much of the machine it takes: 1, or 2 where it keeps several processes busy. */
  readonly weight: 1 | 2
  /** @param slot of things that run at once each has its own */
  run(slot: number): Promise<readonly Job[]>
}

/**
 * Runs jobs until none is left, as many at once as weigh no more than the capacity, which is at least
 * that of the heaviest; those that begin first take longest.
 */
export async function runAll(jobs: readonly Job[], capacity: number): Promise<void> {
  const waiting = [...jobs]
  const idle = new Set(Array.from({ length: capacity }, (_, slot) => slot))
  const running = new Set<Promise<void>>()
  let left = capacity
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex(({ weight }) => weight <= left)
    const [slot] = idle
    const [job] = next < 0 || slot === undefined ? [] : waiting.splice(next, 1)
    if (slot === undefined || job === undefined) {
      await Promise.race(running)
      continue
    }
    idle.delete(slot)
    left -= job.weight
    const run = job.run(slot).then((more) => {
      waiting.push(...more)
      idle.add(slot)
      left += job.weight
      running.delete(run)
    })
    running.add(run)
  }
}
