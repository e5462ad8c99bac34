import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { EVENT_TYPES } from '../../lib/domain/event-kind.js'
import { FACTOR_METHODS } from '../../lib/factors/factors.js'
import type { Telemetry } from '../../lib/index.js'
import { browserOf, enrol, giveCode, passFirstStep } from './browser.js'
import { type HostUser, makeHost } from './host.js'
import { warningsDuring } from './warnings.js'

const METHODS = [...FACTOR_METHODS, 'upstream', 'trusted-browser', 'none']
export const PORTS = ['store', 'counters', 'audit', 'mail', 'users', 'session', 'keys', 'host']
const REASONS = [
  ...['address', 'not-allowed', 'too-many-mails', 'users', 'counters', 'view', 'transport'],
  'none',
]
const ANSWERS = [
  ...['accepted', 'setup-granted', 'wrong-code', 'too-many-attempts', 'sign-in-again'],
  ...['malformed-request', 'not-enrolled', 'already-enrolled', 'not-found', 'switched-off'],
  ...['required-by-policy', 'stronger-factor-required', 'unavailable'],
]

/** The values that each attribute may have, by the name in Prometheus. */
export const ALLOWED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  second_step_attempts_total: { outcome: ANSWERS, method: METHODS },
  second_step_events_total: { event: EVENT_TYPES, method: METHODS, reason: REASONS },
  second_step_users: { state: ['on', 'off', 'must-set-up', 'paused', 'locked'] },
  second_step_port_seconds: { port: PORTS, outcome: ['ok', 'error', 'timeout'] },
}

/** OpenTelemetry's own SDK, and what is measured by it so far. */
export interface Meters {
  readonly telemetry: Telemetry
  /** As Prometheus reads it. */
  text(): Promise<string>
  /** Each series by its name in Prometheus: its attributes and its value. */
  series(): Promise<readonly Series[]>
}

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function meters(): Meters {
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const metrics = new MeterProvider({ readers: [exporter] })
  const serializer = new PrometheusSerializer('', false, undefined, true, true)
  const text = async () => serializer.serialize((await exporter.collect()).resourceMetrics)
  return {
    telemetry: { metrics },
    text,
    series: async () => [...(await text()).matchAll(SERIES)].map(seriesOf),
  }
}

const SERIES = /^(\w+)(?:\{(.*)\})? ([\d.e+-]+)$/gm

function seriesOf([, name = '', labels = '', value]: RegExpMatchArray): Series {
  const pairs = [...labels.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)]
  const named = pairs.map(([, label = '', text = '']) => [label, text])
  return { name, labels: Object.fromEntries(named), value: Number(value) }
}

/** A user whose every word is one that no measurement may hold. */
const EVE: HostUser = { id: 'hostile-id"} 1', name: 'Hostile', password: 'hostile-password' }
const MAIL = 'hostile@acme.example'

/** What there is once somebody has signed in in several ways, with wrong codes between them, and mails that fail. */
export async function measuredEverything(measured: Meters): Promise<readonly Series[]> {
  let all: readonly Series[] = []
  await warningsDuring(async () => {
    all = await useEverything(measured)
  })
  return all
}

async function useEverything({ telemetry, series }: Meters): Promise<readonly Series[]> {
  const user = { ...EVE, email: MAIL }
  const host = makeHost({
    users: [user],
    options: {
      telemetry,
      users: { findById: async () => user },
      mail: {
        from: 'Acme <no-reply@acme.example>',
        transport: {
          sendMail: async () => {
            throw new Error('hostile mail server')
          },
        },
      },
      onPending: async (_req, res) => res.status(401).json({}),
    },
  })
  const { code, backupCodes } = await enrol(host, user)
  for (const given of ['000000', 'hostile', code(), backupCodes[0]]) {
    const browser = browserOf(host)
    browser.set('User-Agent', 'hostile')
    await passFirstStep(browser, user)
    await giveCode(browser, given)
  }
  await host.secondStep.health()
  let all = await series()
  // The first export begins the count, in the background.
  while (!all.some(({ name }) => name === 'second_step_users')) {
    await new Promise(setImmediate)
    all = await series()
  }
  await host.secondStep.close()
  return all
}
