import { type Accounts, userIds } from '../measure/accounts.js'
import { type Expected, written } from '../measure/http-client.js'
import { type Contestant, cpuRatio, measure, type Samples, speedRatio } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'
import { type Bench, roundsOf } from './scenario.js'

const WITH = ['by hand', 'better-auth', 'ours', 'ours, limitPassword'] as const
const WITHOUT = ['by hand', 'better-auth', 'ours'] as const
const CONTROL = 'control'

/** The password of a user who has a second step, up to the question for the code. */
export async function loginPending(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('pending', 40)
  const contestants = [await plain(bench, 'plain', ids), await plain(bench, CONTROL, ids)]
  for (const accounts of await bench.all(WITH)) {
    await accounts.enrol(ids)
    contestants.push(login(bench, accounts, ids, accounts.wire.pending))
  }
  const samples = await measure(contestants, roundsOf(bench))
  const ratio = (name: string) => [name, speedRatio(samples, name, 'plain')] as const
  return [
    {
      what: 'login up to the code ÷ plain login',
      unit: 'ratio',
      value: ratio('ours')[1],
      goal: { atLeast: 0.92 },
      beside: [CONTROL, 'by hand', 'better-auth'].map(ratio),
      bars: {
        title: 'Login up to the code: requests/s, plain login = 1',
        of: WITH.map(ratio),
      },
    },
    {
      what: 'login up to the code, with limitPassword() ÷ plain login',
      unit: 'ratio',
      value: ratio('ours, limitPassword')[1],
      goal: { atLeast: 0.85 },
    },
    cpuFigure('login up to the code', samples, [CONTROL, ...WITH]),
  ]
}

/** The password of a user who has no second step. */
export async function loginWithout(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('single', 40)
  const contestants = [await plain(bench, 'plain', ids), await plain(bench, CONTROL, ids)]
  for (const accounts of await bench.all(WITHOUT)) {
    await accounts.register(ids)
    contestants.push(login(bench, accounts, ids, accounts.wire.signedIn))
  }
  const samples = await measure(contestants, roundsOf(bench))
  const ratio = (name: string) => [name, speedRatio(samples, name, 'plain')] as const
  return [
    {
      what: 'login of a user without a second step ÷ plain login',
      unit: 'ratio',
      value: ratio('ours')[1],
      goal: { atLeast: 0.92 },
      beside: [CONTROL, 'by hand', 'better-auth'].map(ratio),
    },
    cpuFigure('login of a user without a second step', samples, [CONTROL, ...WITHOUT]),
  ]
}

function cpuFigure(what: string, samples: Samples, names: readonly string[]): Figure {
  const ratio = (name: string) => [name, cpuRatio(samples, name, 'plain')] as const
  return {
    what: `${what}: CPU ÷ plain login`,
    unit: 'ratio',
    value: ratio('ours')[1],
    beside: names.filter((name) => name !== 'ours').map(ratio),
  }
}

async function plain(bench: Bench, name: 'plain' | 'control', ids: readonly string[]) {
  const accounts = await bench.accounts(name)
  return login(bench, accounts, ids, accounts.wire.signedIn)
}

function login(
  bench: Bench,
  { app, wire }: Accounts,
  ids: readonly string[],
  expected: Expected,
): Contestant {
  const requests = ids.map((id) => written(wire.login(id)))
  return {
    name: app.name,
    app,
    expected,
    prepare: async () => requests,
    times: bench.quick ? 40 : 250,
  }
}
