import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { spreadOf } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const SCRIPT = fileURLToPath(new URL('../apps/start-up.mjs', import.meta.url))
const WAYS = ['ours', 'better-auth', 'nothing'] as const

/** From the import to a router, in a process that has loaded Express and ioredis. */
export async function startUp(bench: Bench): Promise<readonly Figure[]> {
  const taken = new Map<string, { milliseconds: number; bytes: number }[]>()
  for (let round = 0; round < (bench.quick ? 1 : 15); round += 1) {
    for (const way of WAYS) {
      const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, way])
      taken.set(way, [...(taken.get(way) ?? []), JSON.parse(stdout)])
    }
  }
  const time = (way: string) =>
    spreadOf((taken.get(way) ?? []).map(({ milliseconds }) => milliseconds))
  const size = (way: string) => spreadOf((taken.get(way) ?? []).map(({ bytes }) => bytes / 2 ** 20))
  const others = WAYS.slice(1)
  const what = 'import, createSecondStep() and router() beyond Express and ioredis'
  return [
    {
      what,
      unit: 'ms',
      value: time('ours'),
      goal: { atMost: 110 },
      beside: others.map((way) => [way, time(way)] as const),
    },
    {
      what: `${what}: memory`,
      unit: 'MiB',
      value: size('ours'),
      goal: { atMost: 9 },
      beside: others.map((way) => [way, size(way)] as const),
    },
  ]
}
