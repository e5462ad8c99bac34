import type { AppProcess } from './app-process.js'
import type { Expected } from './http-client.js'
import { type Spread, spreadOf } from './statistics.js'

/** One of those that are measured in turn. */
export interface Contestant {
  readonly name: string
  readonly app: AppProcess
  readonly expected: Expected
  /** Makes what the next slice needs and is not measured, and returns its requests. */
  prepare(): Promise<readonly string[]>
  /** How many requests a slice has. Default: each that was prepared once. */
  readonly times?: number
}

/** What one slice of one contestant took. */
export interface Sample {
  readonly perSecond: number
  /** CPU time of the app's process a request, microseconds. */
  readonly cpu: number
}

/** How long a measurement goes on. */
export interface Plan {
  readonly rounds: number
  readonly warmUp: number
  /**
   * Milliseconds after which the rounds end early, on a machine that is busy, once there are enough
   * of them. Default 40,000.
   */
  readonly longest?: number
}

const LONGEST = 40_000
const ENOUGH = 7

export type Samples = ReadonlyMap<string, readonly Sample[]>

/**
 * Measures the contestants in turn (A B C, B C A, …), so that whatever else the machine does slows
 * all of them alike, and compares only what was measured in the same round.
 *
 * @param plan how many rounds; `warmUp` rounds before them are thrown away
 */
export async function measure(
  contestants: readonly Contestant[],
  { rounds, warmUp, longest = LONGEST }: Plan,
): Promise<Samples> {
  const began = performance.now()
  const isLate = () => performance.now() - began > longest
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round += 1) {
    const first = (round + warmUp) % contestants.length
    for (const one of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const sample = await slice(one)
      if (round >= 0) samples.get(one.name)?.push(sample)
    }
    if (round + 1 >= ENOUGH && isLate()) break
  }
  return samples
}

async function slice({ app, expected, prepare, times }: Contestant): Promise<Sample> {
  const requests = await prepare()
  const count = times ?? requests.length
  const before = await app.ask('cpu')
  const seconds = await app.client.run(requests, count, expected)
  const cpu = ((await app.ask('cpu')) - before) / count
  return { perSecond: count / seconds, cpu }
}

/** Combines what two contestants took in the same round. */
function compared(
  samples: Samples,
  one: string,
  other: string,
  combine: (left: Sample, right: Sample) => number,
): Spread {
  const others = samples.get(other) ?? []
  const values = (samples.get(one) ?? []).flatMap((left, round) => {
    const right = others[round]
    return right === undefined ? [] : [combine(left, right)]
  })
  return spreadOf(values)
}

/** Requests a second of one, divided by the other's. */
export function speedRatio(samples: Samples, one: string, other: string): Spread {
  return compared(samples, one, other, (left, right) => left.perSecond / right.perSecond)
}

/** CPU a request of one, divided by the other's. */
export function cpuRatio(samples: Samples, one: string, other: string): Spread {
  return compared(samples, one, other, (left, right) => left.cpu / right.cpu)
}

/** CPU a request that one takes beyond the other, microseconds. */
export function cpuBeyond(samples: Samples, one: string, other: string): Spread {
  return compared(samples, one, other, (left, right) => left.cpu - right.cpu)
}
