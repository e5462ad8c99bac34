import type { Accounts } from '../measure/accounts.js'
import { userIds } from '../measure/accounts.js'
import { measure, speedRatio } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'
import { reader } from './guarded-get.js'
import { poster } from './post.js'
import { type Bench, roundsOf } from './scenario.js'

const OURS = 'ours, PostgreSQL'

/** The records in PostgreSQL, sessions and counters in Redis. */
export async function postgresql(bench: Bench): Promise<readonly Figure[]> {
  const ours = await bench.accounts(OURS)
  return [await get(bench, ours), await post(bench, ours)]
}

async function get(bench: Bench, ours: Accounts): Promise<Figure> {
  const others = [await bench.accounts('plain'), await bench.accounts('control')]
  const contestants = []
  for (const accounts of [...others, ours]) contestants.push(await reader(bench, accounts))
  const samples = await measure(contestants, roundsOf(bench))
  return {
    what: 'PostgreSQL: guarded GET: requests/s ÷ the plain app',
    unit: 'ratio',
    value: speedRatio(samples, OURS, 'plain'),
    goal: { atLeast: 0.75 },
    beside: [['control', speedRatio(samples, 'control', 'plain')]],
  }
}

async function post(bench: Bench, ours: Accounts): Promise<Figure> {
  const ids = userIds('poster', bench.quick ? 20 : 250)
  const [base, control] = ['passport-totp', 'passport-totp, control'] as const
  const contestants = []
  for (const accounts of [await bench.accounts(base), await bench.accounts(control), ours]) {
    contestants.push(await poster(accounts, ids))
  }
  const samples = await measure(contestants, roundsOf(bench))
  return {
    what: 'PostgreSQL: second-step POST: requests/s ÷ passport-totp',
    unit: 'ratio',
    value: speedRatio(samples, OURS, base),
    goal: { atLeast: 0.6 },
    beside: [['control', speedRatio(samples, control, base)]],
  }
}
