import type { Account, Accounts } from './accounts.js'
import type { AnnouncedEvent, Announcer } from './announcer.js'
import { everyPage, PAGE } from './every-user.js'
import type { FailureReporter } from './failure-reporter.js'
import {
  isByAdmin,
  type Mails,
  type Person,
  TOLD_CHANGES,
  type ToldChange,
  type ToldType,
} from './mails.js'
import { isOdd } from './odd-user.js'

const ADMINS_AT_MOST = 50

type ToldEvent = AnnouncedEvent<ToldType>

export interface ToldAdminsParts {
  readonly announcer: Pick<Announcer, 'tell'>
  readonly accounts: Pick<Accounts<unknown>, 'list' | 'lookUp'>
  readonly mails: Pick<Mails, 'sendTold' | 'during'>
  readonly hostId: (recordId: string) => string
  readonly failureReporter: Pick<FailureReporter, 'report'>
  /** Runs the look for admins outside of the request's context, so that its spans are not part of the request's trace. */
  readonly apart: <T>(run: () => T) => T
}

/**
 * Tells the other admins by mail of changes that somebody with a stolen admin's account would make: of the policy, and of
 * another admin's second step. The process that has made the change does so, in the background. Changes that come while
 * it goes through the users wait for the next round, so that many of them are one round.
 */
export class ToldAdmins {
  readonly #parts: ToldAdminsParts
  #waiting: ToldEvent[] = []
  #isTelling = false

  constructor(parts: ToldAdminsParts) {
    this.#parts = parts
    parts.announcer.tell((event) => {
      if (!isTold(event)) return
      this.#waiting.push(event)
      if (!this.#isTelling) parts.mails.during(parts.apart(() => this.#tellAll()))
    })
  }

  /** Never rejects. */
  async #tellAll(): Promise<void> {
    this.#isTelling = true
    while (this.#waiting.length > 0) {
      const events = this.#waiting
      this.#waiting = []
      await this.#tell(events).catch((error: unknown) => this.#parts.failureReporter.report(error))
    }
    this.#isTelling = false
  }

  async #tell(events: readonly ToldEvent[]): Promise<void> {
    const changes: ToldChange[] = []
    for (const event of events) {
      const change = await this.#changeOf(event).catch((error: unknown) => {
        this.#parts.failureReporter.report(error)
        return null
      })
      if (change !== null) changes.push(change)
    }
    if (changes.length === 0) return
    for await (const admin of this.#admins()) {
      for (const change of changes) {
        const { actor, user } = change.event
        if (admin.id === actor.id || admin.id === user) continue
        // A mail server that gets all at once refuses them.
        await this.#parts.mails.sendTold(change, admin)
      }
    }
  }

  /** @returns null for a change of somebody who is no admin */
  async #changeOf(event: ToldEvent): Promise<ToldChange | null> {
    const { actor, user } = event
    const affected = user === null ? null : await this.#accountOf(user)
    if (user !== null && affected?.subject.privileged !== true) return null
    const by = actor.kind === 'admin' && actor.id !== null ? actor.id : null
    const account = by === null ? null : await this.#accountOf(by).catch(() => null)
    return {
      event,
      by: by === null ? null : this.#person(by, account),
      whom: user === null ? null : this.#person(user, affected),
    }
  }

  #person(recordId: string, account: Account | null): Person {
    return { id: this.#parts.hostId(recordId), name: account?.name ?? null }
  }

  async #accountOf(recordId: string): Promise<Account | null> {
    const found = await this.#parts.accounts.lookUp(recordId)
    return found.kind === 'found' ? found.account : null
  }

  async *#admins(): AsyncGenerator<Account> {
    const { accounts } = this.#parts
    const found = new Set<string>()
    for await (const page of everyPage((cursor) =>
      accounts.list({ search: '', cursor, limit: PAGE }),
    )) {
      for (const account of page.accounts) {
        if (isOdd(account) || !isToldOf(account) || found.has(account.id)) continue
        yield account
        found.add(account.id)
        if (found.size === ADMINS_AT_MOST) return
      }
    }
  }
}

/** A help desk is protected as admins are, and sees neither the policy nor the events. */
function isToldOf({ subject, email, helpDesk = false }: Account): boolean {
  return subject.privileged && !helpDesk && email !== null
}

function isTold(event: AnnouncedEvent): event is ToldEvent {
  const types: readonly string[] = TOLD_CHANGES
  return types.includes(event.type) && (event.type === 'policy-changed' || isByAdmin(event))
}
