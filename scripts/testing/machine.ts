import { cpus } from 'node:os'
import { setTimeout } from 'node:timers/promises'

const MOMENT = 1000
/** The part of its time that a machine has to be idle. */
const ENOUGH = 0.2

/** How long the processors have idled, of all their time until now: milliseconds of all together. */
export interface ProcessorTime {
  readonly idle: number
  readonly all: number
}

/** Watches the machine for a moment. @returns whether it had time left, whoever else uses it */
export async function hasTimeLeft(): Promise<boolean> {
  const before = spent()
  await setTimeout(MOMENT, null, { ref: false })
  return idlePart(before, spent()) > ENOUGH
}

/** The part of the time between two moments in which the processors idled, 0 to 1. */
export function idlePart(before: ProcessorTime, after: ProcessorTime): number {
  const all = after.all - before.all
  return all === 0 ? 0 : (after.idle - before.idle) / all
}

export function spent(): ProcessorTime {
  const times = cpus().map((cpu) => cpu.times)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
  return {
    idle: sum(times.map(({ idle }) => idle)),
    all: sum(times.flatMap((each) => Object.values(each))),
  }
}
