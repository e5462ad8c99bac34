import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { RedisStoreOptions } from '../lib/index.js'
import { loginsAroundAFailover } from '../test/support/logins-around-a-failover.js'

/**
 * npm run proof:failover [-- RUNS]: one code, given over HTTP in a browser, and in another one after the master of
 * Redis was killed and its replica promoted. With `durability` no run may sign in both; without it, those are
 * counted where the replica lagged.
 */

// The longest: a busy machine must not refuse what is not about the failover.
const DURABILITY = { replicas: 1, within: 500 }
const IN = '200 signed-in'
/** A run takes a second or two. */
const RUN_AT_MOST = 30_000
/** Milliseconds after the code was sent, about as long as its writes take, and after the cut. */
const CUT_WITHIN = 40
const KILLED_WITHIN = 60

/**
 * When the replica begins to lag: before the code is given, after it was answered, or at any moment between, with the
 * death of the master soon after.
 */
type Moment = 'before' | 'between' | 'after'

/** What happened in a run. */
interface Run {
  readonly first: string
  readonly second: string
  /** Until the first answer, in milliseconds. */
  readonly took: number
}

async function run(options: RedisStoreOptions, moment: Moment): Promise<Run> {
  const logins = await loginsAroundAFailover(options)
  const { pair, login, failOver, stop } = logins
  try {
    if (moment === 'before') pair.cut()
    const began = performance.now()
    const answered = login('first').then((first) => ({ first, took: performance.now() - began }))
    if (moment === 'between') {
      await pause(randomInt(CUT_WITHIN))
      pair.cut()
      await Promise.race([answered, pause(randomInt(KILLED_WITHIN))])
    } else {
      await answered
      if (moment === 'after') pair.cut()
    }
    await failOver()
    return { ...(await answered), second: await login('second') }
  } finally {
    await stop()
  }
}

async function inTime(begin: () => Promise<Run>): Promise<Run> {
  const late = new AbortController()
  try {
    return await Promise.race([
      begin(),
      pause(RUN_AT_MOST, undefined, late).then(() => {
        throw new Error(`a run took more than ${RUN_AT_MOST / 1000} seconds`)
      }),
    ])
  } finally {
    late.abort()
  }
}

/** Runs so often, prints what happened, and returns how many runs opened two doors. */
async function runs(
  times: number,
  {
    name,
    options,
    moments,
  }: {
    readonly name: string
    readonly options: RedisStoreOptions
    readonly moments: readonly Moment[]
  },
): Promise<number> {
  const began = performance.now()
  const done: Run[] = []
  for (let nth = 0; nth < times; nth += 1) {
    done.push(await inTime(() => run(options, moments[nth % moments.length] ?? 'before')))
  }
  const twice = done.filter(({ first, second }) => first === IN && second === IN).length
  const slowest = Math.max(...done.map(({ took }) => took))
  console.log(`${name}: ${times} runs in ${Math.round((performance.now() - began) / 1000)} s`)
  console.log(`  two doors: ${twice}; slowest first answer: ${Math.round(slowest)} ms`)
  for (const [outcome, count] of tally(done)) console.log(`  ${count} × ${outcome}`)
  return twice
}

function tally(done: readonly Run[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { first, second } of done) {
    const outcome = `${first}, after the failover ${second}`
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }
  return counts
}

const times = Number(process.argv[2] ?? 20)
if (!Number.isSafeInteger(times) || times < 1)
  throw new Error('RUNS must be a whole number above 0')
const on = await runs(times, {
  name: 'with durability',
  options: { durability: DURABILITY },
  moments: ['before', 'between', 'after'],
})
await runs(times, { name: 'without durability', options: {}, moments: ['before'] })
if (on > 0) console.error(`${on} runs with durability opened two doors`)
// Servers that a run left behind end with this process.
process.exit(on === 0 ? 0 : 1)
