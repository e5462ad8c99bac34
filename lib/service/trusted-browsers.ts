import type { Policy } from '../domain/policy.js'
import type { Method } from '../domain/stamp.js'
import { type Admission, stillAdmitted, type UserContext } from '../domain/standing.js'
import { trustCounts } from '../domain/trust-at-login.js'
import {
  forgetTrusted,
  judgeTrust,
  TRUSTED_DAYS_AT_MOST,
  type TrustedBrowser,
  type TrustRules,
  trustBrowser,
  trustedNow,
} from '../domain/trusted-browsers.js'
import { DAY_MS } from '../domain/units.js'
import type { Digester } from '../ports/digester.js'
import type { System } from '../ports/system.js'
import type { RequestInfo } from './announcer.js'
import type { Challenge, ProofAnswer, ProofAttempt } from './challenge.js'
import type { Records } from './records.js'

const BYTES_OF_AN_ID = 16
const BYTES_OF_A_SECRET = 32

/** What the cookie of a trusted browser holds. */
export interface TrustToken {
  readonly id: string
  readonly secret: string
}

/** The cookie that a browser gets, and its end in milliseconds. */
export interface NewTrust {
  readonly token: TrustToken
  readonly expiresAt: number
}

/** How the cookie of a browser is called, and whether it goes over https alone. */
export interface TrustCookie {
  readonly name: string
  readonly secure: boolean
}

/** The host's choice. */
export interface TrustSettings {
  /** Days that a browser is trusted. */
  readonly days: number
  readonly cookie: TrustCookie
  /** The path of the pages: of two apps with one user's record, only the one that gave the cookie takes it. */
  readonly path: string
}

/**
 * What came of a cookie at a login. `renewed` is null where another request of the same browser has just
 * got the next one.
 */
type TrustAnswer =
  | { readonly kind: 'trusted'; readonly context: UserContext; readonly renewed: NewTrust | null }
  /** The browser is not trusted any more, and its cookie is worth nothing. */
  | { readonly kind: 'over' }
  /** Not of this user, or of no use at this login. */
  | { readonly kind: 'unknown' }

/** The user who forgets a browser, and their session. */
interface Forgetting extends UserContext {
  readonly admission: Admission
  readonly requestInfo: RequestInfo
}

/** Trusts browsers, recognises them at a login, and forgets them. */
export class TrustedBrowsers {
  readonly days: number
  readonly cookie: TrustCookie
  readonly #path: string
  readonly #records: Records
  readonly #challenge: Challenge
  readonly #digester: Digester
  readonly #system: System

  constructor(
    { days, cookie, path }: TrustSettings,
    parts: { records: Records; challenge: Challenge; digester: Digester; system: System },
  ) {
    this.days = Math.min(days, TRUSTED_DAYS_AT_MOST)
    this.cookie = cookie
    this.#path = path
    this.#records = parts.records
    this.#challenge = parts.challenge
    this.#digester = parts.digester
    this.#system = parts.system
  }

  get #lasts(): number {
    return this.days * DAY_MS
  }

  #rules(policy: Policy, now: number): TrustRules {
    return { policy, now, lasts: this.#lasts, keyIds: this.#digester.keyIds }
  }

  /** The user's browsers that are trusted now. */
  of({ record, policy }: UserContext): readonly TrustedBrowser[] {
    return trustedNow(record, this.#rules(policy, this.#system.now()))
  }

  /**
   * Answers a proof at the challenge, and trusts the browser in the same write. Not after a backup code: whoever
   * uses one may have lost a device, or have found the paper.
   *
   * @param name as `TrustedBrowser` has it
   */
  answer(attempt: ProofAttempt, name: string | null): Promise<ProofAnswer<NewTrust | undefined>> {
    const token = { id: this.#random(BYTES_OF_AN_ID), secret: this.#random(BYTES_OF_A_SECRET) }
    const { userId, policy } = attempt
    return this.#challenge.answerAnd<NewTrust | undefined>(attempt, async (record, now, method) => {
      if (!mayTrust(method)) return { record, answer: undefined, events: [] }
      const bounds = { id: token.id, createdAt: now, expiresAt: now + this.#lasts }
      const bound = { ...bounds, policyVersion: policy.version }
      const [digest] = await this.#digests(token.secret, userId, record.epoch, bound)
      const [keyId] = this.#digester.keyIds
      const made = { ...bound, keyId, digest, previous: null, rotatedAt: now, name }
      const decided = trustBrowser(record, made, this.#rules(policy, now))
      return { ...decided, answer: { token, expiresAt: bounds.expiresAt } }
    })
  }

  /** Recognises a browser after the first step, by its cookie, and exchanges the cookie's secret. */
  use({ id, secret }: TrustToken, context: UserContext, info: RequestInfo): Promise<TrustAnswer> {
    const { policy, subject, record: known } = context
    const { userId } = known
    // Named here, so that a try after a lost race does not make another one.
    const nextSecret = this.#random(BYTES_OF_A_SECRET)
    return this.#records.change<TrustAnswer>(
      userId,
      info,
      async (record, now) => {
        const browser = record.trustedBrowsers.find((one) => one.id === id)
        if (browser === undefined || !trustCounts({ record, policy, subject }, now)) {
          return { record, answer: { kind: 'unknown' }, events: [] }
        }
        const [digests, [digest]] = await Promise.all([
          this.#digests(secret, userId, record.epoch, browser),
          this.#digests(nextSecret, userId, record.epoch, browser),
        ])
        const [keyId] = this.#digester.keyIds
        const given = { digests, next: { keyId, digest } }
        const decided = judgeTrust(record, browser, given, this.#rules(policy, now))
        if (decided.answer === 'over' || decided.answer === 'reused') {
          return { ...decided, answer: { kind: 'over' } }
        }
        const expiresAt = Math.min(browser.expiresAt, browser.createdAt + this.#lasts)
        const renewed = { token: { id, secret: nextSecret }, expiresAt }
        const answer = {
          kind: 'trusted',
          context: { ...context, record: decided.record },
          renewed: decided.answer === 'trusted' ? renewed : null,
        } as const
        return { ...decided, answer }
      },
      known,
    )
  }

  /**
   * Forgets a browser. What is forgotten already stays so.
   *
   * @param id null: all of them
   */
  forget(
    { admission, record, policy, subject, requestInfo }: Forgetting,
    id: string | null,
  ): Promise<'forgotten' | 'sign-in-again'> {
    return this.#records.change<'forgotten' | 'sign-in-again'>(
      record.userId,
      requestInfo,
      (current, now) => {
        if (!stillAdmitted(admission, { record: current, policy, subject }, now)) {
          return { record: current, answer: 'sign-in-again', events: [] }
        }
        return { ...forgetTrusted(current, id), answer: 'forgotten' }
      },
      record,
    )
  }

  /** Bound to all that says whether the browser is trusted: a changed record does not make it live longer. */
  #digests(
    secret: string,
    userId: string,
    epoch: number,
    bound: Pick<TrustedBrowser, 'id' | 'createdAt' | 'expiresAt' | 'policyVersion'>,
  ) {
    const { id, createdAt, expiresAt, policyVersion } = bound
    const setId = JSON.stringify([this.#path, id, epoch, createdAt, expiresAt, policyVersion])
    return this.#digester.digests(secret, { purpose: 'trusted-browser', userId, setId })
  }

  #random(bytes: number): string {
    return Buffer.from(this.#system.random(bytes)).toString('base64url')
  }
}

function mayTrust(method: Method): boolean {
  return method !== 'backup-code' && method !== 'one-time-code'
}
