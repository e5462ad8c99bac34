import { DAY_MS, HOUR_MS } from '../domain/units.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { Accounts } from '../service/accounts.js'
import type { FindMailResetUser } from '../service/mail-reset-user.js'
import type { LostDelay, LostOptions } from './options.js'

const DELAYS: Readonly<Record<LostDelay, number>> = { '0': 0, '24h': DAY_MS, '72h': 72 * HOUR_MS }

/** Milliseconds that a reset by mail waits. */
export function delayOf({ delay = '0' }: LostOptions<never>): number {
  return DELAYS[delay]
}

/** The host's options about a user. Each function has the time limit of a port. */
export function findMailResetUser<U>(
  accounts: Accounts<Express.User>,
  { allow, heldUntil }: LostOptions<U>,
  timeout: number,
): FindMailResetUser {
  return async (userId) => {
    const account = await accounts.find(userId)
    if (account === null) return null
    const { user, subject } = account
    return {
      account,
      allowed: () =>
        allow === undefined
          ? Promise.resolve(!subject.privileged)
          : withTimeout(
              'the option lost.allow',
              async () => (await allow(user as U)) === true,
              timeout,
            ),
      heldUntil: () =>
        withTimeout(
          'the option lost.heldUntil',
          async () => timeOf(await heldUntil?.(user as U)),
          timeout,
        ),
    }
  }
}

/** @throws Error for what is no time: a hold that cannot be read holds */
function timeOf(held: Date | null | undefined): number {
  if (held === null || held === undefined) return 0
  const time = held instanceof Date ? held.getTime() : Number.NaN
  if (Number.isFinite(time)) return Math.max(0, time)
  throw new Error('it must answer with a Date or null')
}
