import type { Knex } from 'knex'
import { knexAuditLog, knexCounters, knexStore } from '../lib/index.js'
import { auditLogCases, counterCases, recordStoreCases } from '../lib/testing/index.js'
import {
  type AppOnPair,
  openAgain,
  poolTo,
  signInAndOut,
  startAppOn,
} from '../test/support/lost-primary.js'
import { type PostgresPair, startPostgresPair } from '../test/support/postgres-pair.js'

/**
 * npm run proof:standby: hundreds of codes sign in over HTTP, the primary of PostgreSQL is killed in the middle, and its
 * standby promoted. With a synchronous standby no code may sign in again; with one that lags, those that do are counted.
 * Then the conformance cases run on such a pair, half of them before the loss and half after it.
 */

const OWNERS = 50
const BEFORE_THE_LOSS = 400
const ROUNDS = 3

/** What the loss of a primary has left. */
interface Outcome {
  readonly accepted: number
  readonly opened: number
  /** Codes that signed their owners in afterwards, for the first time. */
  readonly later: number
}

/** Hundreds of codes sign their owners in; in the middle the primary is killed and the standby promoted. */
async function afterTheLoss(app: AppOnPair, pair: PostgresPair, lags: boolean): Promise<Outcome> {
  let loss: Promise<void> | null = null
  await signInAndOut(app, (count) => {
    if (count === BEFORE_THE_LOSS) loss = pair.primary.kill()
  })
  await loss
  if (lags) await pair.standby.restart()
  await pair.promote()
  app.moveTo(pair.standby.url)
  const accepted = app.owners.reduce((sum, owner) => sum + owner.accepted.length, 0)
  const opened = (await openAgain(app)).length
  let later = 0
  await signInAndOut(app, (count) => {
    later = count
  })
  return { accepted, opened, later }
}

/** @param lags whether the standby is away when the codes are given, and the primary does not wait for it */
async function round({ lags }: { lags: boolean }): Promise<Outcome> {
  const pair = await startPostgresPair({ waits: !lags })
  try {
    const app = await startAppOn(pair, OWNERS)
    try {
      if (lags) await pair.standby.kill()
      return await afterTheLoss(app, pair, lags)
    } finally {
      await app.close()
    }
  } finally {
    await pair.stop()
  }
}

function told({ accepted, opened, later }: Outcome, standby: string): string {
  return `${standby}: ${accepted} codes accepted, of them ${opened} good again after the failover; then ${later} others accepted`
}

const TABLES = ['records', 'policy', 'events', 'serials', 'counters']

/** Every conformance case of what is in a database, by its name. */
function casesOn(
  pools: readonly [Knex, Knex],
): readonly (readonly [string, () => Promise<void>])[] {
  const [db, other] = pools
  const empty = () => Promise.all(TABLES.map((name) => db(`second_step_${name}`).del()))
  const store = () => empty().then(() => ({ store: knexStore(db), another: knexStore(other) }))
  const log = () => empty().then(() => ({ log: knexAuditLog(db) }))
  const counters = () =>
    empty().then(() => ({ counters: knexCounters(db), another: knexCounters(other) }))
  return [
    ...recordStoreCases.map(({ name, run }) => [name, () => run(store)] as const),
    ...auditLogCases.map(({ name, run }) => [name, () => run(log)] as const),
    ...counterCases.map(({ name, run }) => [name, () => run(counters)] as const),
  ]
}

/** @returns how many cases ran, and the names of those that failed */
async function conformance(): Promise<{ ran: number; failed: readonly string[] }> {
  const pair = await startPostgresPair({ waits: true })
  let url = pair.primary.url
  const pools = [poolTo(() => url), poolTo(() => url)] as const
  const failed: string[] = []
  try {
    await knexStore(pools[0]).migrate()
    // One after the other, so that each kind is met on both sides of the loss.
    const cases = casesOn(pools)
    const run = async (rest: 0 | 1) => {
      for (const [index, [name, one]] of cases.entries()) {
        if (index % 2 === rest)
          await one().catch((error: unknown) => failed.push(`${name}: ${error}`))
      }
    }
    await run(0)
    await pair.primary.kill()
    await pair.promote()
    url = pair.standby.url
    await run(1)
    return { ran: cases.length, failed }
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()))
    await pair.stop()
  }
}

for (let count = 0; count < ROUNDS; count += 1) {
  const outcome = await round({ lags: false })
  console.log(told(outcome, 'synchronous standby'))
  if (outcome.opened > 0 || outcome.later === 0) process.exitCode = 1
}
const without = await round({ lags: true })
console.log(told(without, 'standby that lags'))
if (without.opened === 0) {
  console.log('No code was good again: this proof could not have failed.')
  process.exitCode = 1
}
const { ran, failed } = await conformance()
console.log(`conformance: ${ran} cases around the loss of a primary, ${failed.length} failed`)
for (const one of failed) console.log(one)
if (failed.length > 0) process.exitCode = 1
