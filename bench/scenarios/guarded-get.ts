import type { AppName } from '../apps/index.js'
import { type Accounts, userIds } from '../measure/accounts.js'
import { written } from '../measure/http-client.js'
import { type Contestant, cpuBeyond, measure, type Samples, speedRatio } from '../measure/rounds.js'
import type { Spread } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import { type Bench, roundsOf } from './scenario.js'

const USERS = userIds('reader', 40)
const PEERS = [
  'plain',
  'control',
  'gate that reads nothing',
  'gate that reads one key',
  'passport-totp',
  'by hand',
  'better-auth',
  'ours',
] as const satisfies readonly AppName[]

/** A page for signed-in users, again and again. */
export async function guardedGet(bench: Bench): Promise<readonly Figure[]> {
  const contestants: Contestant[] = []
  for (const accounts of await bench.all(PEERS)) contestants.push(await reader(bench, accounts))
  const bounded = await bench.accountsIfAvailable('ours, bounded')
  if (bounded !== null) contestants.push(await reader(bench, bounded))
  const samples = await measure(contestants, roundsOf(bench))
  return [...strict(samples), ...boundedFigures(samples, bounded !== null)]
}

/** Users who passed both steps, asking for the page in turn. */
export async function reader(bench: Bench, accounts: Accounts): Promise<Contestant> {
  const cookies = await accounts.signedIn(USERS)
  const requests = cookies.map((cookie) => written({ path: '/inside', cookie }))
  return {
    name: accounts.app.name,
    app: accounts.app,
    expected: { status: 200, body: '{"user":{"id":"reader-' },
    prepare: async () => requests,
    times: bench.quick ? 80 : 400,
  }
}

function strict(samples: Samples): readonly Figure[] {
  const toPlain = (name: string) => speedRatio(samples, name, 'plain')
  const bare = 'gate that reads one key'
  const beyond = (name: string) => [name, cpuBeyond(samples, name, 'plain')] as const
  return [
    {
      what: 'guarded GET: requests/s ÷ a bare gate that reads one key',
      unit: 'ratio',
      value: speedRatio(samples, 'ours', bare),
      goal: { atLeast: 0.95 },
    },
    {
      what: 'guarded GET: requests/s ÷ the plain app',
      unit: 'ratio',
      value: toPlain('ours'),
      beside: [...PEERS.slice(1, -1)].map((name) => [name, toPlain(name)]),
      bars: {
        title: 'Guarded GET: requests/s, plain app = 1',
        of: [...PEERS.slice(2)].map((name) => [name, toPlain(name)]),
      },
    },
    {
      what: 'guarded GET: CPU added ÷ what the bare gate adds',
      unit: 'ratio',
      ...addedRatio(beyond('ours')[1], beyond(bare)[1]),
      goal: { atMost: 1.6 },
    },
    {
      what: 'guarded GET: CPU added to the plain app',
      unit: 'µs',
      value: cpuBeyond(samples, 'ours', 'plain'),
      beside: [...PEERS.slice(1, -1)].map(beyond),
    },
  ]
}

/** Nothing where what the gate adds is lost in what the rounds differ by. */
function addedRatio(ours: Spread, gate: Spread): Pick<Figure, 'value' | 'note'> {
  if (gate.low > 0) return { value: ours.median / gate.median }
  return { value: null, note: 'what the bare gate adds cannot be told on a machine this busy' }
}

function boundedFigures(samples: Samples, isAvailable: boolean): readonly Figure[] {
  const what = 'guarded GET, bounded mode: requests/s ÷ the plain app'
  const goal = { atLeast: 0.97 }
  const blind = 'gate that reads nothing'
  const beside = [[blind, speedRatio(samples, blind, 'plain')] as const]
  const note = 'this version has no option `revocation`'
  if (!isAvailable) return [{ what, unit: 'ratio', value: null, goal, beside, note }]
  const name = 'ours, bounded'
  return [
    { what, unit: 'ratio', value: speedRatio(samples, name, 'plain'), goal, beside },
    {
      what: 'guarded GET, bounded mode: CPU added to the plain app',
      unit: 'µs',
      value: cpuBeyond(samples, name, 'plain'),
      beside: [[blind, cpuBeyond(samples, blind, 'plain')]],
    },
  ]
}
