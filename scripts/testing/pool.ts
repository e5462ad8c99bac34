/** Runs one thing; what it leads to is run as well. */
export type Job = (slot: number) => Promise<readonly Job[]>

/** Runs jobs, so many at a time, until none is left; those that begin first take longest. */
export async function runAll(jobs: readonly Job[], slots: number): Promise<void> {
  const waiting = [...jobs]
  const idle = new Set(Array.from({ length: slots }, (_, slot) => slot))
  const running = new Set<Promise<void>>()
  while (waiting.length > 0 || running.size > 0) {
    const [slot] = idle
    const job = slot === undefined ? undefined : waiting.shift()
    if (slot === undefined || job === undefined) {
      await Promise.race(running)
      continue
    }
    idle.delete(slot)
    const run = job(slot).then((more) => {
      waiting.push(...more)
      idle.add(slot)
      running.delete(run)
    })
    running.add(run)
  }
}
