import { isOneAddress } from '../domain/address.js'
import { USER_ACTION_NAMES, USER_ACTIONS } from '../domain/admin-actions.js'
import type { MailFailure, SecondStepEventType } from '../domain/event.js'
import type { Subject } from '../domain/policy.js'
import { explain } from '../errors/explain.js'
import type { Counters } from '../ports/counters.js'
import type { Mailer } from '../ports/mailer.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { Account, Accounts } from './accounts.js'
import { type AnnouncedEvent, type Announcer, NO_REQUEST } from './announcer.js'
import type { FindMailedDevices, MailedDevices } from './mailed-devices.js'
import { WarningMails } from './warning-mails.js'

/** The mails about acts of users and of the host's own code, one for the event of each name. */
export const MAILS = [
  'enrolled',
  'disabled',
  'reset',
  'authenticator-added',
  'authenticator-removed',
  'authenticator-renamed',
  'resynchronised',
  'key-changed',
  'key-shown',
  'backup-codes-made',
  'backup-code-used',
  'weaker-method-used',
  'wrong-code',
  'authenticator-locked',
  'authenticator-suspended',
  'pending-login-used-up',
  'browser-trusted',
  'trusted-browser-reused',
  'mail-reset-asked',
  'mail-reset-ready',
  'mail-reset-done',
  'mail-reset-cancelled',
  'reminded',
] as const satisfies readonly SecondStepEventType[]

/** The mails about acts of admins and the operator: one for each row of the table of actions. */
export const ADMIN_MAILS = USER_ACTION_NAMES.map((name) => USER_ACTIONS[name].event)

/** The changes that the other admins are told of: of the policy, and those that let somebody past the second step of an admin. */
export const TOLD_CHANGES = [
  ...(['policy-changed', 'reset', 'disabled', 'paused'] as const),
  ...(['one-time-code-made', 'backup-codes-made', 'token-assigned'] as const),
] satisfies readonly SecondStepEventType[]

export type ToldType = (typeof TOLD_CHANGES)[number]

export type MailName = (typeof MAILS)[number] | (typeof ADMIN_MAILS)[number]

/** An event with a mail to the user. */
export type MailedEvent = AnnouncedEvent<MailName> & { readonly user: string }

/**
 * Writes the mail about an event, in the first available language.
 *
 * @param by the admin's name, where the user is to be told. Default: nobody's
 * @param token of the link that the mail is to have. Default: none
 * @param heldBack mails of this kind since the last one that went out. Default: 0
 * @param devices of the user, where the mail depends on them. Null: unknown
 */
export type WriteMail = (
  event: MailedEvent,
  languages: readonly string[],
  by?: string | null,
  token?: string | null,
  heldBack?: number,
  devices?: MailedDevices | null,
) => { readonly subject: string; readonly text: string; readonly html: string }

/** The part of a mail that no event may hold: a secret, and its only recipient. */
export interface MailedLink {
  readonly token: string
  readonly account: Account
}

/** Sends the mails that have a link in addition to their event. */
export interface LinkMailer {
  /** Resolves with whether the mail was taken. Never rejects. */
  sendLink(event: MailedEvent, languages: readonly string[], link: MailedLink): Promise<boolean>
}

/** A change that the other admins are told of. */
export interface ToldChange {
  readonly event: AnnouncedEvent<ToldType>
  /** Who made it. Null: not by an admin, or their name cannot be read. */
  readonly by: Person | null
  /** The admin whose second step it is. Null: it is about no single user. */
  readonly whom: Person | null
}

/** Somebody as admins know them: by the host's id. */
export interface Person {
  readonly id: string
  readonly name: string | null
}

/** Writes the mail about a change to another admin. @param heldBack as for `WriteMail` */
export type WriteToldMail = (
  change: ToldChange,
  languages: readonly string[],
  heldBack: number,
) => ReturnType<WriteMail>

/** The parts that `Mails` needs. */
export interface MailParts {
  readonly announcer: Announcer
  readonly counters: Counters
  readonly accounts: Pick<Accounts<unknown>, 'lookUp'>
  readonly mailer: Mailer
  readonly from: string
  readonly write: WriteMail
  readonly writeTold: WriteToldMail
  readonly findDevices: FindMailedDevices
  /** Whether a mail about an admin's change names the admin. Default false. */
  readonly nameAdmins?: boolean
  /** Milliseconds that a mailer may take. Default 20 000. */
  readonly patience?: number
}

/** Mails that say what the user's devices do, or what to try. */
const ABOUT_DEVICES: readonly SecondStepEventType[] = [
  ...(['wrong-code', 'authenticator-locked', 'pending-login-used-up'] as const),
  ...(['key-changed', 'token-assigned', 'authenticator-added', 'authenticator-removed'] as const),
  ...(['authenticator-suspended', 'enrolled', 'resumed'] as const),
]

type Part = MailFailure['part']

/** Which mail it is, and to whom. */
interface MailFor {
  readonly type: SecondStepEventType
  readonly user: string
}

/** The kind of mails about other people's changes, for the limit of a day. */
const TOLD = 'told'

const PATIENCE = 20_000
/** Leaves the value out: a user's data must not be in a log. */
const NOT_ONE_ADDRESS =
  'passport-second-step: a user has an `email` that is not one address, so they get no mails. It must be the address alone, without a name, ' +
  'a list or `mailto:`. Give `describe: (user) => ({ id: user.id, email: user.emails[0] })`, say'
// Two mails need a link that no event holds, and not every wrong code is worth a mail. Other parts
// send these.
const SENT_ELSEWHERE: readonly SecondStepEventType[] = [
  ...(['mail-reset-asked', 'mail-reset-ready'] as const),
  'wrong-code',
]

/**
 * Tells users by mail what happened to their second step. Nobody waits for a mail, and one that
 * fails is an event and nothing else.
 */
export class Mails implements LinkMailer {
  readonly #parts: MailParts
  readonly #warnings: WarningMails
  readonly #underWay = new Set<Promise<boolean>>()
  #warnedOfAddress = false

  constructor(parts: MailParts) {
    this.#parts = parts
    this.#warnings = new WarningMails(parts.counters)
    parts.announcer.tell((event, languages) => {
      if (isMailed(event) && !SENT_ELSEWHERE.includes(event.type))
        this.#begin(event, languages, null)
    })
  }

  /** Resolves when every mail that was begun is sent, or has failed. Never rejects. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await this.sentSoFar()
  }

  /** Resolves when every mail that is under way now is sent, or has failed. Never rejects. */
  async sentSoFar(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  /** Begins the mail of an event that is not mailed each time. Never throws. */
  send(event: MailedEvent, languages: readonly string[]): Promise<boolean> {
    return this.#begin(event, languages, null)
  }

  /** Begins the mail of an event that has a link beside it. Never throws. */
  sendLink(event: MailedEvent, languages: readonly string[], link: MailedLink): Promise<boolean> {
    return this.#begin(event, languages, link)
  }

  /** Tells an admin of somebody else's change. Never rejects. */
  sendTold(change: ToldChange, { id, email, locale }: Account): Promise<boolean> {
    if (email === null) return Promise.resolve(false)
    const languages = locale === null ? [] : [locale]
    const { type } = change.event
    return this.#track({ type, user: id }, () =>
      this.#limited(TOLD, id, email, async (heldBack) => {
        const { writeTold } = this.#parts
        await this.#deliver(email, () => writeTold(change, languages, heldBack))
      }),
    )
  }

  /** Lets `settled` wait for work that sends mails. The work must not reject. */
  during(work: Promise<unknown>): void {
    const tracked = work.then(() => true).finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
  }

  #begin(
    event: MailedEvent,
    languages: readonly string[],
    link: MailedLink | null,
  ): Promise<boolean> {
    return this.#track(event, () => this.#mail(event, languages, link))
  }

  #track(about: MailFor, mail: () => Promise<void>): Promise<boolean> {
    const mailing = mail()
      .then(() => true)
      .catch((error: unknown) => {
        this.#announceFailure(about, error)
        return false
      })
      .finally(() => this.#underWay.delete(mailing))
    this.#underWay.add(mailing)
    return mailing
  }

  async #mail(
    event: MailedEvent,
    languages: readonly string[],
    link: MailedLink | null,
  ): Promise<void> {
    const account = link?.account ?? (await at('users', () => this.#accountOf(event.user)))
    if (account === null || account.email === null) return
    const { email, locale, subject } = account
    await this.#limited(event.type, event.user, email, (heldBack) =>
      this.#write(event, languages, link, { email, locale, subject, heldBack }),
    )
  }

  /** @param type of the limit: see `WarningMails` */
  async #limited(
    type: string,
    user: string,
    email: string,
    send: (heldBack: number) => Promise<void>,
  ): Promise<void> {
    await at('address', () => this.#checkAddress(email))
    const heldBack = await at('counters', () => this.#warnings.due(type, user))
    if (heldBack === null) return
    try {
      await send(heldBack)
    } catch (error) {
      // A warning that was not delivered must not be the only one of the day.
      await this.#warnings.failed(type, user, heldBack).catch(() => undefined)
      throw error
    }
  }

  /** With a warning, once: whoever has no such address hears of nothing, and only events tell. */
  #checkAddress(email: string): void {
    if (isOneAddress(email)) return
    if (!this.#warnedOfAddress) process.emitWarning(NOT_ONE_ADDRESS)
    this.#warnedOfAddress = true
    throw new Error('is not one e-mail address')
  }

  async #write(
    event: MailedEvent,
    languages: readonly string[],
    link: MailedLink | null,
    to: {
      readonly email: string
      readonly locale: string | null
      readonly subject: Subject
      readonly heldBack: number
    },
  ): Promise<void> {
    const { write } = this.#parts
    const { email, locale, subject, heldBack } = to
    // Somebody else's request says nothing about the user's language.
    const asked = event.actor.kind === 'user' ? languages : []
    const wanted = locale === null ? asked : [locale, ...asked]
    const [by, devices] = await Promise.all([
      this.#adminToName(event),
      this.#devicesFor(event, subject),
    ])
    await this.#deliver(email, () =>
      write(event, wanted, by, link?.token ?? null, heldBack, devices),
    )
  }

  async #deliver(to: string, write: () => ReturnType<WriteMail>): Promise<void> {
    const { from, mailer, patience = PATIENCE } = this.#parts
    const written = await at('view', async () => write())
    // RFC 3834 §5: out-of-office programs do not answer it.
    const headers = { 'Auto-Submitted': 'auto-generated' }
    await at('transport', () =>
      withTimeout('the mailer', () => mailer.sendMail({ to, from, ...written, headers }), patience),
    )
  }

  /** If the name is unavailable, the mail goes out without it. */
  async #adminToName({ actor }: MailedEvent): Promise<string | null> {
    const { nameAdmins = false } = this.#parts
    if (!nameAdmins || actor.kind !== 'admin' || actor.id === null) return null
    const admin = await this.#accountOf(actor.id).catch(() => null)
    return admin?.name ?? null
  }

  /** If they can't be read, the mail goes out all the same: it is a warning. */
  async #devicesFor(event: MailedEvent, subject: Subject): Promise<MailedDevices | null> {
    const isOfAdmin = event.type === 'reset' && isByAdmin(event)
    if (!isOfAdmin && !ABOUT_DEVICES.includes(event.type)) return null
    return this.#parts.findDevices(event.user, subject).catch(() => null)
  }

  async #accountOf(userId: string): Promise<Account | null> {
    const found = await this.#parts.accounts.lookUp(userId)
    if (found.kind === 'odd') throw found.odd.cause
    if (found.kind === 'other') throw new Error('users.findById answered with somebody else')
    return found.kind === 'found' ? found.account : null
  }

  async #announceFailure({ type, user }: MailFor, error: unknown): Promise<void> {
    const { part, cause } =
      error instanceof Failed ? error : { part: 'view' as const, cause: error }
    const detail = { mail: type, part, error: nameOf(cause) }
    const events = [{ type: 'mail-failed', method: null, detail }] as const
    await this.#parts.announcer.announce(user, events, NO_REQUEST).catch((reason: unknown) => {
      process.emitWarning(`a failed mail is not in the audit log: ${explain(reason)}`)
    })
  }
}

class Failed extends Error {
  readonly part: Part

  constructor(part: Part, cause: unknown) {
    super(`a mail failed: ${part}`, { cause })
    this.part = part
  }
}

async function at<T>(part: Part, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw new Failed(part, cause)
  }
}

function isMailed(event: AnnouncedEvent): event is MailedEvent {
  const mails: readonly MailName[] = hasAdminsWords(event) ? ADMIN_MAILS : MAILS
  return event.user !== null && mails.some((name) => name === event.type)
}

/** Whether an admin or the operator did it: the user is told so, in other words than of their own acts. */
export function isByAdmin({ actor }: Pick<AnnouncedEvent, 'actor'>): boolean {
  return actor.kind === 'admin' || actor.kind === 'operator'
}

/** A lock comes of wrong codes, also where an admin's change of the devices brings it. */
export function hasAdminsWords(event: Pick<AnnouncedEvent, 'actor' | 'type'>): boolean {
  return isByAdmin(event) && event.type !== 'authenticator-locked'
}

/** Class and code of a failure: its message may hold addresses, passwords or whole commands. */
function nameOf(error: unknown): string {
  const innermost: unknown = Reflect.get(Object(error), 'cause') ?? error
  const { name, code } = Object(innermost) as { name?: unknown; code?: unknown }
  const named = [name, code].filter((part) => typeof part === 'string' && /^\w{1,40}$/.test(part))
  return named.join(' ') || 'unknown'
}
