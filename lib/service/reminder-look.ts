import { isOneAddress } from '../domain/address.js'
import type { Policy } from '../domain/policy.js'
import { type DueReminder, dueReminder } from '../domain/reminders.js'
import { DAY_MS, DAY_S } from '../domain/units.js'
import type { Counter, Counters } from '../ports/counters.js'
import type { Account } from './accounts.js'
import { type Announcer, NO_REQUEST } from './announcer.js'
import { everyUser, type UserSources } from './every-user.js'
import type { Mails } from './mails.js'
import type { Records } from './records.js'

/** Longer than any day of the option. A timer of Node.js counts no longer time. */
const CLAIM_LASTS = 24 * DAY_S

export interface ReminderParts extends UserSources {
  readonly records: Pick<Records, 'list' | 'find' | 'findMany' | 'policy'>
  readonly counters: Counters
  readonly announcer: Pick<Announcer, 'announce'>
  /** Sends what is announced. */
  readonly mails: Pick<Mails, 'sentSoFar'>
  /** Days before the end of the days of grace. */
  readonly days: readonly number[]
}

/** What a look has found. */
export interface Looked {
  /** Users who were reminded, or would be. */
  readonly reminded: number
  /** Users of whom something cannot be read. */
  readonly unreadable: number
}

/**
 * Reminds every user who is due, one after another, each once for a day of the option: whoever takes the place in the
 * counters announces it, and the event has a mail. The place is kept whatever becomes of the mail: none is sent twice.
 *
 * @param dry true: counts them, and claims, announces and mails nothing
 * @param isStopped asked before each user
 * @throws UnavailableError where users, records, counters or the audit log fail
 */
export async function lookForReminders(
  parts: ReminderParts,
  dry = false,
  isStopped: () => boolean = () => false,
): Promise<Looked> {
  const { records, counters, days, now } = parts
  const claims = counters.counter('setup-reminders', CLAIM_LASTS)
  const policy = await records.policy()
  const found = { reminded: 0, unreadable: 0 }
  if (!givesGrace(policy)) return found
  for await (const { users, unreadable } of everyUser(parts)) {
    found.unreadable += unreadable
    for (const { account, record } of users) {
      if (isStopped()) return found
      if (dueReminder({ record, policy, subject: account.subject }, days, now()) === null) continue
      if (await remindOne(parts, account, claims, dry)) found.reminded += 1
    }
    if (isStopped()) return found
  }
  return found
}

function givesGrace({ graceDays, mode, roles }: Policy): boolean {
  return graceDays > 0 && [mode, ...Object.values(roles)].includes('required')
}

/** By what is stored now: since the page was read, the user may have set up, or the policy changed. */
async function remindOne(
  parts: ReminderParts,
  { id, email, subject }: Account,
  claims: Counter,
  dry: boolean,
): Promise<boolean> {
  const { records, announcer, mails, days, now } = parts
  if (email === null || !isOneAddress(email)) return false
  const [record, policy] = await Promise.all([records.find(id), records.policy()])
  const due = dueReminder({ record, policy, subject }, days, now())
  if (due === null) return false
  const key = claimOf(id, due)
  if (dry) return (await claims.taken(key)) === 0
  if (!(await claims.take(key, 1)).taken) return false
  const detail = { until: new Date(due.deadline) }
  await announcer.announce(id, [{ type: 'reminded', method: null, detail }], NO_REQUEST)
  // A mail server that gets a thousand at once refuses them.
  await mails.sentSoFar()
  return true
}

/** By the day of the deadline: clocks that differ by seconds tell the same one. */
function claimOf(id: string, { deadline, day }: DueReminder): string {
  return JSON.stringify([id, Math.floor(deadline / DAY_MS), day])
}
