import type { AppName } from '../apps/index.js'
import { type Accounts, userIds } from '../measure/accounts.js'
import { type Contestant, cpuRatio, measure, speedRatio } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'
import { type Bench, roundsOf } from './scenario.js'

const BASE = 'passport-totp'
const PEERS = [
  BASE,
  'passport-totp, control',
  'passport-totp, limited',
  'by hand',
  'better-auth',
  'ours',
] as const satisfies readonly AppName[]

/** The right code to a pending login, each of another user. */
export async function post(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('poster', bench.quick ? 20 : 250)
  const contestants: Contestant[] = []
  for (const accounts of await bench.all(PEERS)) contestants.push(await poster(accounts, ids))
  const samples = await measure(contestants, roundsOf(bench))
  const speed = (name: string) => [name, speedRatio(samples, name, BASE)] as const
  const used = (name: string) => [name, cpuRatio(samples, name, BASE)] as const
  const others = PEERS.slice(1, -1)
  return [
    {
      what: 'second-step POST: requests/s ÷ passport-totp',
      unit: 'ratio',
      value: speed('ours')[1],
      goal: { atLeast: 0.85 },
      beside: others.map(speed),
      bars: {
        title: 'Second-step POST: requests/s, passport-totp (checks nothing more) = 1',
        of: PEERS.slice(2).map(speed),
      },
    },
    {
      what: 'second-step POST: CPU ÷ passport-totp',
      unit: 'ratio',
      value: used('ours')[1],
      goal: { atMost: 1.2 },
      beside: others.map(used),
    },
  ]
}

/** A backup code instead, each user's next one. passport-totp has none: it is given its code. */
export async function backupCode(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('backup', bench.quick ? 10 : 120)
  const contestants = [await poster(await bench.accounts(BASE), ids)]
  for (const name of ['by hand', 'ours'] as const) {
    const accounts = await bench.accounts(name)
    let used = 0
    contestants.push({
      ...(await poster(accounts, ids)),
      async prepare() {
        used += 1
        return accounts.backupCodeRequests(ids, await accounts.pending(ids), used - 1)
      },
    })
  }
  // Ten codes a user.
  const plan = bench.quick ? roundsOf(bench) : { rounds: 9, warmUp: 1 }
  const samples = await measure(contestants, plan)
  return [
    {
      what: 'second-step POST, backup code: requests/s ÷ passport-totp',
      unit: 'ratio',
      value: speedRatio(samples, 'ours', BASE),
      beside: [['by hand', speedRatio(samples, 'by hand', BASE)]],
    },
  ]
}

/** The password step is taken before the clock starts. */
export async function poster(accounts: Accounts, ids: readonly string[]): Promise<Contestant> {
  await accounts.enrol(ids)
  return {
    name: accounts.app.name,
    app: accounts.app,
    expected: accounts.wire.accepted,
    async prepare() {
      await accounts.nextCodes()
      return accounts.codeRequests(ids, await accounts.pending(ids))
    },
  }
}
