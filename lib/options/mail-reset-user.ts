import { within } from '../ports/with-timeout.js'
import type { FindMailResetUser } from '../service/mail-reset-user.js'
import type { CheckedOptions } from './check-options.js'
import type { LostDelay, LostOptions, SecondStepOptions } from './options.js'

const HOUR = 60 * 60 * 1000
const DELAYS: Readonly<Record<LostDelay, number>> = { '0': 0, '24h': 24 * HOUR, '72h': 72 * HOUR }

/** Milliseconds that a reset by mail waits. */
export function delayOf({ delay = '0' }: LostOptions<never>): number {
  return DELAYS[delay]
}

/** What the host's options say of a user; each of its functions has the limit in time of a port. */
export function findMailResetUser<U>(
  users: NonNullable<SecondStepOptions<U>['users']>,
  { allow, heldUntil }: LostOptions<U>,
  { describe, hostId }: Pick<CheckedOptions, 'describe' | 'hostId'>,
): FindMailResetUser {
  return async (userId) => {
    const user = await within('the user store', () => users.findById(hostId(userId)))
    if (user === null || user === undefined || user === false) return null
    const addressee = describe(user as Express.User)
    // Another user than was asked for: an id of another realm, or a mistake of the host's.
    if (addressee.id !== userId) return null
    return {
      addressee,
      allowed: () =>
        allow === undefined
          ? Promise.resolve(!addressee.subject.privileged)
          : within('the option lost.allow', async () => (await allow(user)) === true),
      heldUntil: () =>
        within('the option lost.heldUntil', async () => timeOf(await heldUntil?.(user))),
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
