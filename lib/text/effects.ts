import type { UserAction } from '../domain/admin-actions.js'
import { resetEnd } from '../domain/administration.js'
import type { Member } from '../service/member.js'
import { isoTime } from './iso-time.js'

/** Something that an action does to a user: a text, and what it counts or names. */
export type Effect =
  | { readonly key: string; readonly count: number }
  /** ISO 8601 */
  | { readonly key: string; readonly at: string }

const FORGETTING: readonly UserAction[] = ['reset', 'disable']
const ENDING_SESSIONS: readonly UserAction[] = [...FORGETTING, 'end-sessions', 'token']
const ENDING_CODES: readonly UserAction[] = [...FORGETTING, 'backup-codes']
/** They change a factor, and leave the sessions alone. */
const ENDING_TRUST: readonly UserAction[] = [
  ...ENDING_SESSIONS,
  ...(['pause', 'resume', 'backup-codes', 'one-time-code'] as const),
]

/** What an action ends for this user, beside what its text says. */
export function effectsOf(
  action: UserAction,
  { record, backupCodesLeft }: Pick<Member<unknown>, 'record' | 'backupCodesLeft'>,
  {
    trustedBrowsers,
    asked,
    now,
  }: {
    readonly trustedBrowsers: number
    /** Whether the policy asks them for a second step at all. */
    readonly asked: boolean
    readonly now: number
  },
): readonly Effect[] {
  const devices = FORGETTING.includes(action) ? record.authenticators.length : 0
  const codes = ENDING_CODES.includes(action) ? backupCodesLeft : 0
  const browsers = ENDING_TRUST.includes(action) ? trustedBrowsers : 0
  const counted = [
    { key: 'admin.effect.devices', count: devices },
    { key: 'admin.effect.backup-codes', count: codes },
    { key: 'admin.effect.browsers', count: browsers },
  ].filter(({ count }) => count > 0)
  if (action !== 'reset' || !asked) return counted
  return [...counted, { key: 'admin.effect.set-up-by', at: isoTime(resetEnd(now)) }]
}
