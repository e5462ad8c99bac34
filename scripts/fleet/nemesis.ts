import type { FaultKind } from './ground.js'
import type { Random } from './random.js'
import type { Recorder } from './recorder.js'
import { comesAbout, pause } from './waiting.js'

const RECOVERED_WITHIN = 60_000

export interface NemesisOptions {
  readonly kinds: readonly FaultKind[]
  /** How often each of them strikes. */
  readonly times: number
  readonly random: Random
  readonly recorder: Recorder
  /** How much of the load is done, from 0 to 1: the faults are spread over it. */
  progress(): number
  isEnding(): boolean
  /** Called after each, with the time when it began. */
  after(from: number): Promise<void>
}

/** Does harm, one fault after the other, each of them after the recovery from the one before. */
export async function runNemesis(options: NemesisOptions): Promise<void> {
  const { kinds, times, random, progress, isEnding } = options
  const all = Array.from({ length: times }, () => random.shuffled(kinds)).flat()
  for (const [index, kind] of all.entries()) {
    const due = index / all.length
    while (progress() < due && !isEnding()) await pause(50)
    if (isEnding()) return
    await strike(kind, options)
  }
}

async function strike(kind: FaultKind, { random, recorder, after }: NemesisOptions): Promise<void> {
  const from = recorder.now()
  const harm = await kind.strike(random)
  await pause(harm.lasts)
  await harm.heal()
  const healed = recorder.now()
  const isOver = await comesAbout(harm.isOver, RECOVERED_WITHIN)
  const recovered = isOver ? recorder.now() : null
  recorder.add({ kind: 'fault', fault: kind.name, target: harm.target, from, healed, recovered })
  await after(from)
}
