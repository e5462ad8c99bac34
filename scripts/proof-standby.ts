import {
  type AppOnPair,
  openAgain,
  signInAndOut,
  startAppOn,
} from '../test/support/lost-primary.js'
import { type PostgresPair, startPostgresPair } from '../test/support/postgres-pair.js'

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
