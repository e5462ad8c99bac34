import { isEnrolledState } from '../domain/overview.js'
import type { FactorMethod } from '../factors/factors.js'
import type { Telemetry } from '../ports/telemetry.js'
import { type CallEnd, watchCalls } from '../ports/watched-calls.js'
import type { AnnouncedEvent, Announcer } from './announcer.js'
import type { FailureReporter } from './failure-reporter.js'
import { HEALTH_CHECK } from './health.js'
import type { Counted, Overview } from './overview.js'

const LIBRARY = 'passport-second-step'

/** By their names in errors. Null: made of calls that are measured themselves. Every other part is a host's function. */
const PORTS: Readonly<Record<string, string | null>> = {
  'the record store': 'store',
  'the attempt counters': 'counters',
  'the audit log': 'audit',
  'the mailer': 'mail',
  'the user store': 'users',
  'the session store': 'session',
  'the key ring': 'keys',
  'the keys that seal the secrets': 'keys',
  'the end of the login before': null,
}

const OUTCOMES: Readonly<Record<CallEnd, string>> = { ok: 'ok', failed: 'error', silent: 'timeout' }
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20]
/** SpanStatusCode.ERROR */
const ERROR = 2

type Meter = ReturnType<Telemetry['metrics']['getMeter']>
type Counter = ReturnType<Meter['createCounter']>
type Histogram = ReturnType<Meter['createHistogram']>
type Gauge = ReturnType<Meter['createObservableGauge']>
type Observer = Parameters<Gauge['addCallback']>[0]

/** What an attempt can come to, as far as it is measured. */
interface Attempted {
  readonly kind: string
  readonly method?: FactorMethod | string
}

/**
 * Counts and times by OpenTelemetry what happens, under attributes of fixed sets alone: no ids, names, addresses or
 * texts. Never throws: a failing recorder is told to the operator, and refuses nobody.
 */
export class Measurements {
  readonly #telemetry: Telemetry
  readonly #failureReporter: FailureReporter
  readonly #attempts: Counter
  readonly #events: Counter
  readonly #calls: Histogram
  readonly #users: Gauge
  #stop: (() => void) | null = null

  constructor(telemetry: Telemetry, failureReporter: FailureReporter) {
    this.#telemetry = telemetry
    this.#failureReporter = failureReporter
    const meter = telemetry.metrics.getMeter(LIBRARY)
    this.#attempts = meter.createCounter('second_step.attempts', {
      description: 'Proofs that were given, by what came of them',
    })
    this.#events = meter.createCounter('second_step.events', {
      description: 'Events of second steps',
    })
    // Some exporters add the unit to the name unless it ends with it, and some never do.
    this.#calls = meter.createHistogram('second_step.port.seconds', {
      description: 'Calls of stores, counters and the like',
      unit: 's',
      advice: { explicitBucketBoundaries: SECONDS },
    })
    this.#users = meter.createObservableGauge('second_step.users', {
      description: 'Users by the state of their second step, as last counted',
    })
  }

  /**
   * Measures until `stop()`: the events of the announcer, all calls of ports in this process, and the users.
   *
   * @param overview null: nobody can count users
   */
  start(announcer: Pick<Announcer, 'tell'>, overview: Pick<Overview, 'newest'> | null): void {
    announcer.tell((event) => this.#safely(() => this.#count(event)))
    const endCalls = watchCalls(this.#telemetry.metrics, (part) => this.#begin(part))
    const observe: Observer = (result) =>
      this.#safely(() => {
        const counted = overview?.newest() ?? null
        for (const [state, users] of knownStates(counted)) result.observe(users, { state })
      })
    this.#safely(() => this.#users.addCallback(observe))
    this.#stop = () => {
      endCalls()
      this.#safely(() => this.#users.removeCallback(observe))
    }
  }

  stop(): void {
    this.#stop?.()
    this.#stop = null
  }

  /** Counts an attempt by its answer. */
  async attempt<Answer extends Attempted>(answering: Promise<Answer>): Promise<Answer> {
    let outcome = 'unavailable'
    let method = 'none'
    try {
      const answer = await answering
      outcome = answer.kind
      method = answer.method ?? 'none'
      return answer
    } finally {
      this.#safely(() => this.#attempts.add(1, { outcome, method }))
    }
  }

  #count(told: AnnouncedEvent): void {
    const { type: event, method } = told
    this.#events.add(1, { event, method: method ?? 'none', reason: reasonOf(told) })
  }

  #begin(part: string): ((end: CallEnd) => void) | null {
    const port = portOf(part)
    if (port === null) return null
    const began = performance.now()
    const span = this.#spanOf(port)
    return (end) =>
      this.#safely(() => {
        const outcome = OUTCOMES[end]
        this.#calls.record((performance.now() - began) / 1000, { port, outcome })
        span?.setAttribute('outcome', outcome)
        if (end !== 'ok') span?.setStatus({ code: ERROR })
        span?.end()
      })
  }

  /** Work in the background belongs to no span, and would be a trace of its own each time. */
  #spanOf(port: string) {
    const { trace } = this.#telemetry
    return this.#safely(() =>
      trace?.getActiveSpan() === undefined
        ? undefined
        : trace.getTracer(LIBRARY).startSpan(`second_step ${port}`, { attributes: { port } }),
    )
  }

  #safely<T>(measure: () => T): T | undefined {
    try {
      return measure()
    } catch (error) {
      this.#failureReporter.report(error)
      return undefined
    }
  }
}

function portOf(part: string): string | null {
  if (part.startsWith(HEALTH_CHECK)) return null
  return Object.hasOwn(PORTS, part) ? (PORTS[part] ?? null) : 'host'
}

/** Without a list of all users, nobody knows how many have no second step. */
function knownStates(counted: Counted | null): [string, number][] {
  if (counted === null) return []
  const all = Object.entries(counted.counts.states)
  return all.filter(([state]) => counted.isOfAll || isEnrolledState(state))
}

/** Why no mail went out. Other details may be anybody's words. */
function reasonOf({ type, detail }: AnnouncedEvent): string {
  if (type === 'mail-reset-refused') return detail.why
  return type === 'mail-failed' ? detail.part : 'none'
}
