import {
  dayOf,
  enrolledIn,
  noCounts,
  OVERVIEW_DAYS,
  type OverviewCounts,
} from '../domain/overview.js'
import type { State } from '../domain/state.js'
import { DAY_MS } from '../domain/units.js'
import type { Authenticator } from '../factors/factors.js'
import type { Counted } from '../service/overview.js'

/** What admins see of all second steps. Null: nobody can know it, or it is not counted yet. */
export interface ShownOverview {
  /** The host's users. */
  readonly known: number | null
  readonly enrolled: number | null
  readonly states: Readonly<Record<State, number | null>>
  readonly inGrace: number | null
  readonly fewBackupCodes: number | null
  readonly unsavedBackupCodes: number | null
  readonly factors: Readonly<Record<Authenticator['type'], number | null>>
  readonly roles: Readonly<
    Record<string, { readonly known: number | null; readonly enrolled: number | null }>
  >
  /** The last 30 days, the oldest first. */
  readonly days: readonly ShownDay[]
}

export interface ShownDay {
  /** As in `2026-01-31`, in UTC. */
  readonly date: string
  /** How many of those who are enrolled now set up on that day. */
  readonly enrolled: number | null
  readonly accepted: number | null
  readonly wrong: number | null
}

/** @param now in milliseconds: what is not counted yet is shown of the days until then */
export function shownOverview(
  counted: Counted | null,
  roles: readonly string[],
  now: number,
): ShownOverview {
  const counts = counted?.counts ?? noCounts(roles)
  const once = (count: number): number | null => (counted === null ? null : count)
  const ofAll = (count: number): number | null => (counted?.isOfAll === true ? count : null)
  const { states, factors } = counts
  return {
    known: ofAll(counts.users),
    enrolled: once(enrolledIn(counts)),
    states: {
      on: once(states.on),
      off: ofAll(states.off),
      'must-set-up': ofAll(states['must-set-up']),
      paused: once(states.paused),
      locked: once(states.locked),
    },
    inGrace: ofAll(counts.inGrace),
    fewBackupCodes: once(counts.fewBackupCodes),
    unsavedBackupCodes: once(counts.unsavedBackupCodes),
    factors: {
      totp: once(factors.totp),
      hotp: once(factors.hotp),
      webauthn: once(factors.webauthn),
    },
    roles: Object.fromEntries(
      Array.from(counts.roles, ([role, { users, enrolled }]) => [
        role,
        { known: ofAll(users), enrolled: once(enrolled) },
      ]),
    ),
    days: daysOf(counts, counted, once, counted?.at ?? now),
  }
}

function daysOf(
  { setUp }: OverviewCounts,
  counted: Counted | null,
  once: (count: number) => number | null,
  until: number,
): readonly ShownDay[] {
  const first = dayOf(until) - OVERVIEW_DAYS + 1
  return setUp.map((count, at) => {
    const attempts = counted?.attempts?.[at]
    return {
      date: new Date((first + at) * DAY_MS).toISOString().slice(0, 10),
      enrolled: once(count),
      accepted: attempts?.accepted ?? null,
      wrong: attempts?.wrong ?? null,
    }
  })
}
