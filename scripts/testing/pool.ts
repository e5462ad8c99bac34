/** Runs one thing; what it leads to is run as well. */
export interface Job {
  /** How much of the machine it takes: 1, or 2 where it keeps several processes busy. */
  readonly weight: 1 | 2
  /** @param slot of things that run at once each has its own */
  run(slot: number): Promise<readonly Job[]>
}

/** How much runs at once. */
export interface Capacity {
  /** What all that runs may weigh together: at least as much as the heaviest. */
  readonly weight: number
  /** How much more runs while the machine has time left. */
  readonly extra?: number
  /** Watches the machine for a moment. @returns whether it had time left */
  readonly hasTimeLeft?: () => Promise<boolean>
}

/**
 * Runs jobs until none is left; those that begin first take longest. Extra ones take nobody's place:
 * where they did, there would never be room for a heavy one.
 */
export async function runAll(jobs: readonly Job[], capacity: Capacity): Promise<void> {
  const { weight, extra = 0, hasTimeLeft = async () => false } = capacity
  const waiting = [...jobs]
  const idle = new Set(Array.from({ length: weight + extra }, (_, slot) => slot))
  const running = new Set<Promise<false>>()
  const left = { regular: weight, extra }

  function start(index: number, room: keyof typeof left): void {
    const [slot] = idle
    const [job] = slot === undefined ? [] : waiting.splice(index, 1)
    if (slot === undefined || job === undefined) return
    idle.delete(slot)
    left[room] -= job.weight
    const run = job.run(slot).then((more): false => {
      waiting.push(...more)
      idle.add(slot)
      left[room] += job.weight
      running.delete(run)
      return false
    })
    running.add(run)
  }

  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex((job) => job.weight <= left.regular)
    if (next >= 0) {
      start(next, 'regular')
      continue
    }
    const light = waiting.findIndex((job) => job.weight === 1)
    const watched = light >= 0 && left.extra > 0 ? [hasTimeLeft()] : []
    if (await Promise.race([...running, ...watched])) start(light, 'extra')
  }
}
