import type { AppName } from '../apps/index.js'
import { written } from '../measure/http-client.js'
import { cpuBeyond, measure } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'
import { type Bench, roundsOf } from './scenario.js'

const PEERS = [
  'plain',
  'control',
  'gate that reads one key',
  'by hand',
  'ours',
] as const satisfies readonly AppName[]

/** A public page, asked for without a cookie. */
export async function anonymous(bench: Bench): Promise<readonly Figure[]> {
  const requests = [written({ path: '/' })]
  const contestants = []
  for (const { app } of await bench.all(PEERS)) {
    contestants.push({
      name: app.name,
      app,
      expected: { status: 200, body: '"public"' },
      prepare: async () => requests,
      times: bench.quick ? 80 : 500,
    })
  }
  const samples = await measure(contestants, roundsOf(bench))
  const beyond = (name: string) => [name, cpuBeyond(samples, name, 'plain')] as const
  return [
    {
      what: 'anonymous visitor: CPU added to the plain app',
      unit: 'µs',
      value: beyond('ours')[1],
      goal: { atMost: 8 },
      beside: PEERS.slice(1, -1).map(beyond),
    },
  ]
}
