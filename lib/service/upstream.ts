import type { Decision } from '../domain/decision.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { Stamp, StampOwner } from '../domain/stamp.js'
import type { UserContext } from '../domain/standing.js'
import {
  type Belief,
  believedMethods,
  countsUpstreamAtLogin,
  isStillBelieved,
  type UpstreamAuthentication,
} from '../domain/upstream.js'
import type { System } from '../ports/system.js'
import type { RequestInfo } from './announcer.js'
import type { Records } from './records.js'
import type { Sessions } from './sessions.js'

/** Second steps that users pass at a sign-in provider of the host's. */
export class Upstream {
  readonly #beliefs: readonly Belief[]
  readonly #records: Records
  readonly #sessions: Sessions
  readonly #system: System

  constructor(parts: {
    beliefs: readonly Belief[]
    records: Records
    sessions: Sessions
    system: System
  }) {
    this.#beliefs = parts.beliefs
    this.#records = parts.records
    this.#sessions = parts.sessions
    this.#system = parts.system
  }

  /**
   * A session's stamp as it counts now. Where the host has taken the provider, or what it said, off its list since
   * the login, the first step alone is left.
   */
  stampNow(stamp: Stamp): Stamp {
    if (stamp.method !== 'upstream' || isStillBelieved(stamp, this.#beliefs)) return stamp
    return { ...stamp, method: 'none' }
  }

  /**
   * The stamp of a login whose second step was passed upstream, once that is in the audit log. The record
   * is read again: the host's answer has taken its time.
   *
   * @param policy read since then, and `subject` by it
   * @param epoch of the user's record as it was when the login met the gate
   * @returns null where the provider is not believed or does not count, or something has ended the user's logins since
   * @throws UnavailableError
   */
  async accept(
    authentication: UpstreamAuthentication,
    owner: StampOwner,
    { policy, subject, epoch }: Pick<UserContext, 'policy' | 'subject'> & { epoch: number },
    requestInfo: RequestInfo,
  ): Promise<Stamp | null> {
    const { at, issuer, acr } = authentication
    const amr = believedMethods(authentication, this.#beliefs, this.#system.now())
    if (amr === null) return null
    const decide = (record: SecondStepRecord, now: number): Decision<Stamp | null> => {
      if (record.epoch !== epoch || !countsUpstreamAtLogin({ record, policy, subject }, now)) {
        return { record, answer: null, events: [] }
      }
      const stamp = this.#sessions.stamp(owner, record, 'upstream')
      return {
        record,
        answer: { ...stamp, at: Math.min(at, stamp.at), amr, issuer, acr },
        events: [{ type: 'upstream-accepted', method: 'upstream' }],
      }
    }
    return this.#records.change(owner.userId, requestInfo, decide, undefined, { confirms: false })
  }
}
