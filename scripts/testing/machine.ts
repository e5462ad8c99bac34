import { cpus } from 'node:os'
import { setTimeout } from 'node:timers/promises'

const MOMENT = 1000
/** The part of its time that a machine has to be idle. */
const ENOUGH = 0.2

/** Watches the machine for a moment. @returns whether it had time left, whoever else uses it */
export async function hasTimeLeft(): Promise<boolean> {
  const before = spent()
  await setTimeout(MOMENT, null, { ref: false })
  const after = spent()
  return after.idle - before.idle > ENOUGH * (after.all - before.all)
}

/** Milliseconds of all processors together. */
function spent(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
  return {
    idle: sum(times.map(({ idle }) => idle)),
    all: sum(times.flatMap((each) => Object.values(each))),
  }
}
