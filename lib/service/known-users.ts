import { type Policy, type Subject, underStrictestRule } from '../domain/policy.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { Accounts, LookedUp } from './accounts.js'

/** What the host's user store tells of somebody who is signing in, or in a session. */
export interface KnownUser {
  /** @param claimed what the session's user says. Counts only while no role has a rule of its own */
  subject(policy: Policy, claimed: Subject): Subject
}

interface Parts {
  readonly accounts: Pick<Accounts<unknown>, 'lookUp'>
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
}

/**
 * Asks the host's user store about the ids that strategies and sessions name. An id that is not the store's own is another
 * record, without the second step of the user that it is of.
 */
export class KnownUsers {
  readonly #parts: Parts
  #warned = false
  #warnedOfCall = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws UnavailableError where the host cannot say */
  async find(userId: string): Promise<KnownUser> {
    const found = await this.#parts.accounts.lookUp(userId)
    return { subject: (policy, claimed) => subjectOf(found, policy, claimed) }
  }

  /**
   * The same, of somebody whose first step is right. An id that the store does not find is only warned of:
   * a host may have users outside of it, or numbers as ids.
   *
   * @throws ConfigurationError where the store finds another user
   */
  async findAtLogin(userId: string): Promise<KnownUser> {
    const found = await this.#parts.accounts.lookUp(userId)
    if (found.kind === 'other') throw this.#misnamed(userId, found.id)
    if (found.kind === 'none') this.#warn(userId)
    return { subject: (policy, claimed) => subjectOf(found, policy, claimed) }
  }

  /**
   * Checks an id that the host's own code has given. A user who is gone may still have a record.
   *
   * @param hasRecord whether there is a record of this id
   * @throws ConfigurationError where the store finds another user; UnavailableError where it cannot say
   */
  async checkNamed(userId: string, call: string, hasRecord: () => Promise<boolean>): Promise<void> {
    const found = await this.#parts.accounts.lookUp(userId)
    const named = `${call}(${this.#shown(userId)})`
    if (found.kind === 'other') {
      const own = this.#shown(found.id)
      throw new ConfigurationError(
        `${named} would do nothing to the user ${own}, whom \`users.findById(id)\` answers with: another spelling is ` +
          `another user. Give the id as your directory spells it: ${call}(user.id)`,
      )
    }
    if (found.kind !== 'none' || this.#warnedOfCall || (await hasRecord())) return
    this.#warnedOfCall = true
    process.emitWarning(
      `passport-second-step: ${named} is about nobody: \`users.findById(id)\` does not find this user, and there is no ` +
        'record. Give the id that `describe` tells, as your directory spells it',
    )
  }

  #misnamed(userId: string, found: string): ConfigurationError {
    const [given, own] = [this.#shown(userId), this.#shown(found)]
    return new ConfigurationError(
      `\`users.findById(id)\` answers with the user ${own} for the id ${given}, which has just signed in and would be without the second ` +
        `step of ${own}. Give \`user.id\` as your directory spells it, not the name that was typed, or find ${given} if that is another user`,
    )
  }

  /** Once: a mistake in it concerns everybody. */
  #warn(userId: string): void {
    if (this.#warned) return
    this.#warned = true
    process.emitWarning(
      `passport-second-step: \`users.findById(id)\` does not find the user who has just signed in, with the id ` +
        `${this.#shown(userId)}: such users get no mails, are refused as admins, and the strictest rule of all roles is theirs. It is given ` +
        'the id that `describe` tells, as a string; if yours are numbers, give `findById: (id) => db.users.find(Number(id))`. If that id is ' +
        'a name as it was typed, give `user.id` as your directory spells it: another spelling is another user, without a second step',
    )
  }

  #shown(recordId: string): string {
    return JSON.stringify(this.#parts.hostIdOf(recordId) ?? recordId)
  }
}

function subjectOf(found: LookedUp<unknown>, policy: Policy, claimed: Subject): Subject {
  if (!hasRulesOfRoles(policy)) return claimed
  if (found.kind === 'odd') throw found.odd.cause
  return found.kind === 'found' ? found.account.subject : underStrictestRule(policy)
}

/** Whether the user store has to tell the roles of everybody. */
export function hasRulesOfRoles({ roles, accepts }: Policy): boolean {
  return Object.keys(roles).length > 0 || Object.keys(accepts).length > 0
}
