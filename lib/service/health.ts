import { MINUTE_MS, SECOND_MS } from '../domain/units.js'
import type { Counters } from '../ports/counters.js'
import type { Mailer } from '../ports/mailer.js'
import type { StoreChecks } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import { withTimeout } from '../ports/with-timeout.js'
import type { Audit } from './audit.js'
import type { FailureReporter } from './failure-reporter.js'
import type { Records } from './records.js'

/** How a part is. `not-asked`: there is none, or it cannot be asked. */
export type PartHealth = 'ok' | 'away' | 'not-asked'

/** The health of the parts that the second step depends on. Fixed words alone. */
export interface Health {
  /** No part is away, but for mails: no request waits for them. */
  readonly ok: boolean
  readonly parts: {
    readonly store: PartHealth
    readonly counters: PartHealth
    readonly audit: PartHealth
    /** By the transport's `verify()`, once a minute. */
    readonly mail: PartHealth
    /** Redis was not emptied. */
    readonly marker: PartHealth
    readonly migration: PartHealth
  }
}

type Part = keyof Health['parts']

interface Parts {
  readonly records: Pick<Records, 'read'>
  readonly counters: Counters
  readonly audit: Pick<Audit, 'page'>
  /** Null if the host sends no mails. */
  readonly mailer: Mailer | null
  readonly checks: StoreChecks
  /** Milliseconds that a call may take. */
  readonly timeout: number
  readonly system: System
  readonly failureReporter: FailureReporter
}

/** How the names of health checks begin in errors. */
export const HEALTH_CHECK = 'the health check of the'

/** A user whom no app has: reading about them takes every step of a real look. */
const NOBODY = 'passport-second-step:health'
const COUNTER = { name: 'health', seconds: 60 }
/** Whoever asks has an answer within two seconds, whatever the option `timeout` is. */
const LONGEST = 1.9 * SECOND_MS

/** Asks the parts how they are. Reads alone; the store is opened first, as by any request. */
export class HealthCheck {
  readonly #parts: Parts
  #asking: Promise<Health> | null = null
  #mail: { readonly askedAt: number; readonly health: Promise<PartHealth> } | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Never rejects. Calls that come while one is under way share it: nobody can multiply the questions. */
  ask(): Promise<Health> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  async #ask(): Promise<Health> {
    const { records, counters, audit, checks } = this.#parts
    const counter = () => counters.counter(COUNTER.name, COUNTER.seconds)
    const [store, counted, log, mail, marker, migration] = await Promise.all([
      this.#healthOf('store', () => records.read(NOBODY)),
      this.#healthOf('counters', () => counter().taken(NOBODY)),
      this.#healthOf('audit', () => audit.page({ user: NOBODY, cursor: null, limit: 1 })),
      this.#mailHealth(),
      this.#healthOf('marker', checks.marker?.bind(checks)),
      this.#healthOf('migration', checks.migration?.bind(checks)),
    ])
    const needed = { store, counters: counted, audit: log, marker, migration }
    return { ok: !Object.values(needed).includes('away'), parts: { ...needed, mail } }
  }

  /** A mail server would take a log-in every few seconds for an attack. */
  #mailHealth(): Promise<PartHealth> {
    const { mailer, system } = this.#parts
    const now = system.now()
    if (this.#mail === null || Math.abs(now - this.#mail.askedAt) >= MINUTE_MS) {
      this.#mail = { askedAt: now, health: this.#healthOf('mail', verifyOf(mailer)) }
    }
    return this.#mail.health
  }

  /** @param ask answers `false` where there was nothing to ask */
  async #healthOf(part: Part, ask: (() => Promise<unknown>) | undefined): Promise<PartHealth> {
    if (ask === undefined) return 'not-asked'
    const { timeout, failureReporter } = this.#parts
    const limit = Math.min(timeout, LONGEST)
    try {
      const answer = await withTimeout(`${HEALTH_CHECK} ${part}`, ask, limit)
      return answer === false ? 'not-asked' : 'ok'
    } catch (error) {
      failureReporter.report(error)
      return 'away'
    }
  }
}

/** nodemailer's `verify()` connects and signs in. It answers `false` for transports that have no such test. */
function verifyOf(mailer: Mailer | null): (() => Promise<unknown>) | undefined {
  const verify: unknown = Reflect.get(Object(mailer), 'verify')
  if (typeof verify !== 'function') return undefined
  return async () => verify.call(mailer)
}
