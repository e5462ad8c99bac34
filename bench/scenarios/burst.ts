import type { AppName } from '../apps/index.js'
import { type Accounts, userIds } from '../measure/accounts.js'
import { type Answer, HttpClient, written } from '../measure/http-client.js'
import { quantile, type Spread, spreadOf } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const BASE = 'passport-totp'
const PEERS = [BASE, 'by hand', 'ours'] as const satisfies readonly AppName[]
const GUESSES = 200

/** What one burst did to everybody else. */
interface Felt {
  /** The longest time that the app's event loop was blocked, milliseconds. */
  readonly block: number
  /** Of what other users asked meanwhile, milliseconds. */
  readonly p99: number
}

/** 200 wrong codes for one account at once, each in a pending login of its own. */
export async function burst(bench: Bench): Promise<readonly Figure[]> {
  const rounds = bench.quick ? 1 : 15
  const felt = new Map<AppName, Felt[]>()
  for (let round = bench.quick ? 0 : -2; round < rounds; round += 1) {
    for (const name of PEERS) {
      const one = await oneBurst(await bench.accounts(name), `victim-${round}`)
      if (round >= 0) felt.set(name, [...(felt.get(name) ?? []), one])
    }
  }
  return [
    figureOf(felt, 'longest block of the event loop', 'block'),
    figureOf(felt, "other users' p99", 'p99'),
  ]
}

async function oneBurst(accounts: Accounts, victim: string): Promise<Felt> {
  const { app, wire } = accounts
  const others = await accounts.signedIn(userIds('bystander', 8))
  await accounts.enrol([victim])
  await accounts.nextCodes()
  const pending = await accounts.pending(Array.from({ length: GUESSES }, () => victim))
  const [right = ''] = accounts.codesOf([victim])
  const wrong = right === '000000' ? '000001' : '000000'
  const guesses = pending.map((cookie) => written(wire.code(wrong, cookie)))
  const attackers = new HttpClient(app.port, GUESSES)
  const bystanders = new HttpClient(app.port, others.length)
  try {
    const page = written({ path: '/' })
    // Every connection is open before the clock starts.
    await attackers.all(Array.from({ length: GUESSES }, () => page))
    const requests = others.map((cookie) => written({ path: '/inside', cookie }))
    let goesOn = true
    await app.ask('watch-loop')
    const asking = bystanders.latencies(requests, () => goesOn, { status: 200, body: 'bystander' })
    for (const answer of await attackers.all(guesses)) checkRefused(answer)
    goesOn = false
    const took = await asking
    return { block: await app.ask('longest-block'), p99: quantile(took, 0.99) }
  } finally {
    attackers.close()
    bystanders.close()
  }
}

function checkRefused({ status, body }: Answer): void {
  if (status === 401 || status === 429) return
  throw new Error(`a wrong code got ${status} ${body.slice(0, 200)}`)
}

function figureOf(felt: ReadonlyMap<AppName, Felt[]>, what: string, kind: keyof Felt): Figure {
  const of = (name: AppName) => (felt.get(name) ?? []).map((one) => one[kind])
  const base = of(BASE)
  const ratio = (name: AppName): Spread =>
    spreadOf(of(name).map((value, round) => value / (base[round] ?? Number.NaN)))
  const milliseconds = PEERS.map((name) => `${name} ${spreadOf(of(name)).median.toFixed(1)} ms`)
  return {
    what: `${GUESSES} parallel wrong codes for one account: ${what} ÷ passport-totp`,
    unit: 'ratio',
    value: ratio('ours'),
    goal: { atMost: 1.3 },
    beside: [['by hand', ratio('by hand')]],
    note: milliseconds.join(', '),
  }
}
