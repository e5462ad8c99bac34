import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { spreadOf } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const SCRIPT = fileURLToPath(new URL('../apps/start-up.mjs', import.meta.url))
const WAYS = ['ours', 'better-auth', 'nothing'] as const

/** What one start took. */
interface Taken {
  readonly milliseconds: number
  /** CPU time, milliseconds. */
  readonly cpu: number
  readonly bytes: number
}

type Pick = (taken: Taken) => number

/** From the import to a router, in a process that has loaded Express and ioredis. */
export async function startUp(bench: Bench): Promise<readonly Figure[]> {
  const taken = new Map<string, Taken[]>()
  for (let round = 0; round < (bench.quick ? 1 : 15); round += 1) {
    for (const way of WAYS) {
      const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, way])
      taken.set(way, [...(taken.get(way) ?? []), JSON.parse(stdout)])
    }
  }
  const figure = (more: string, unit: 'ms' | 'MiB', atMost: number | null, pick: Pick): Figure => {
    const of = (way: string) => spreadOf((taken.get(way) ?? []).map(pick))
    const beside = WAYS.slice(1).map((way) => [way, of(way)] as const)
    const what = `import, createSecondStep() and router() beyond Express and ioredis${more}`
    const goal = atMost === null ? {} : { goal: { atMost } }
    return { what, unit, value: of('ours'), ...goal, beside }
  }
  return [
    figure('', 'ms', 110, ({ milliseconds }) => milliseconds),
    figure(': CPU', 'ms', null, ({ cpu }) => cpu),
    figure(': memory', 'MiB', 9, ({ bytes }) => bytes / 2 ** 20),
  ]
}
