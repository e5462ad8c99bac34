import type { Actor } from '../domain/event.js'
import type { Subject } from '../domain/policy.js'
import { LONGEST_REASON, readReason } from '../domain/reason.js'
import type { SecondStepOptions } from '../options/options.js'
import type { AnnouncedEvent, RequestInfo } from '../service/announcer.js'
import { type Wired, wire } from '../wiring.js'
import { UsageError, type Values } from './arguments.js'
import { readOptions } from './config.js'
import { openPatiently } from './patience.js'
import { configIn } from './refusals.js'

const OPERATOR: Actor = { kind: 'operator', id: null }

/** The app's second step, as the commands use it. */
export interface App extends Wired {
  /** The store, and who makes the change, from where and why. */
  readonly requestInfo: RequestInfo
}

/** A user that a command is about. */
export interface NamedUser {
  /** The host's id, as given. */
  readonly id: string
  readonly userId: string
  /** Null if no user has this id, as far as the app can tell. */
  readonly subject: Subject | null
}

const NOTHING_TOLD: Subject = { roles: [], createdAt: null, privileged: false }

/**
 * Opens the app's second step with the options of its config, runs the work, and waits for the
 * mails that it sends.
 *
 * @throws UsageError, ConfigurationError, UnavailableError
 */
export async function withApp<T>(values: Values, act: (app: App) => Promise<T>): Promise<T> {
  const file = configIn(values)
  const requestInfo = { ip: null, userAgent: null, actor: OPERATOR, reason: reasonOf(values) }
  const wired = wire((await readOptions(file)) as unknown as SecondStepOptions<unknown>, 'operator')
  wired.announcer.events.on('mail-failed', tellOfMail)
  await openPatiently(() => wired.records.open())
  try {
    return await act({ ...wired, requestInfo })
  } finally {
    await wired.records.settle()
    await wired.site.audit.settle()
    await wired.changeNews?.close()
    await wired.mails?.settled()
  }
}

/**
 * The user that `--user` names. Without `users` in the config, a user exists if there is a record.
 */
export async function userOf(app: App, id: string): Promise<NamedUser> {
  const userId = app.checked.recordId(id)
  const { findSubject, records } = app
  const subject = findSubject === null ? null : await findSubject(userId)
  if (subject !== null) return { id, userId, subject }
  const known = (await records.find(userId)).version > 0
  return { id, userId, subject: known ? NOTHING_TOLD : null }
}

function reasonOf({ reason = '' }: Values): string | null {
  const read = readReason(reason)
  if (read !== undefined) return read
  throw new UsageError(
    `--reason has at most ${LONGEST_REASON} characters, and no control or bidirectional characters.`,
  )
}

function tellOfMail({ detail }: AnnouncedEvent<'mail-failed'>): void {
  process.stderr.write(`The mail to the user was not sent (${detail.part}: ${detail.error}).\n`)
}
