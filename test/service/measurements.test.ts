import { expect } from 'chai'
import { EVENT_TYPES } from '../../lib/domain/event-kind.js'
import { memoryStore, type Telemetry } from '../../lib/index.js'
import { withTimeout } from '../../lib/ports/with-timeout.js'
import type { AnnouncedEvent, Told } from '../../lib/service/announcer.js'
import { FailureReporter } from '../../lib/service/failure-reporter.js'
import { Measurements } from '../../lib/service/measurements.js'
import { browserOf, enrol, signIn } from '../support/browser.js'
import { movedSystem } from '../support/clock.js'
import { ann, makeHost } from '../support/host.js'
import { files, importsOf, sourceOf } from '../support/layers.js'
import { ALLOWED, measuredEverything, meters, PORTS, type Series } from '../support/measured.js'
import { warningsDuring } from '../support/warnings.js'

function expectBounded(all: readonly Series[]): void {
  for (const { name, labels } of all) {
    const allowed = ALLOWED[name.replace(/(?<=_seconds)_(bucket|sum|count)$/, '')]
    const { le: _, ...others } = labels
    expect(Object.keys(others).sort(), name).to.deep.equal(Object.keys(allowed ?? {}).sort())
    for (const [label, value] of Object.entries(others)) expect(allowed?.[label]).to.include(value)
  }
}

/** The sum of the series of that name with these labels. */
function sumOf(all: readonly Series[], name: string, labels: Series['labels']): number {
  const fit = (series: Series) =>
    series.name === name &&
    Object.entries(labels).every(([key, value]) => series.labels[key] === value)
  return all.filter(fit).reduce((sum, { value }) => sum + value, 0)
}

const CALLS = 'second_step_port_seconds_count'

describe('what is measured', () => {
  const used = meters()
  let all: readonly Series[]
  before(async () => {
    all = await measuredEverything(used)
  })

  it('is attempts, events, and the calls of every port', () => {
    const attempts = (labels: Series['labels']) => sumOf(all, 'second_step_attempts_total', labels)
    expect(attempts({ outcome: 'accepted', method: 'totp' })).to.equal(1)
    expect(attempts({ outcome: 'accepted', method: 'backup-code' })).to.equal(1)
    expect(attempts({ outcome: 'wrong-code' })).to.equal(1)
    const failed = { event: 'mail-failed', reason: 'transport' }
    expect(sumOf(all, 'second_step_events_total', failed)).to.be.above(0)
    expect(sumOf(all, CALLS, { port: 'mail', outcome: 'ok' })).to.equal(0)
    for (const port of PORTS) expect(sumOf(all, CALLS, { port }), port).to.be.above(0)
  })

  // Whoever reads the dashboards learns who signs in, from where; and each id would be a series of its own.
  it('has attributes of fixed sets alone: no ids, addresses or texts', async () => {
    const { telemetry, series, text } = used
    let tell: Told = () => undefined
    const measurements = new Measurements(telemetry, new FailureReporter(movedSystem()))
    const announcer = {
      tell: (told: Told) => {
        tell = told
      },
    }
    measurements.start(announcer, null)
    const detail = {
      why: 'address',
      part: 'view',
      code: 'hostile',
      name: 'hostile',
      action: 'hostile',
    }
    for (const type of EVENT_TYPES) {
      const event = {
        type,
        user: 'hostile',
        method: null,
        reason: 'hostile',
        ip: 'hostile',
        detail,
      }
      tell(event as unknown as AnnouncedEvent, ['hostile'])
    }
    measurements.stop()
    const hostile = await series()
    expect(hostile.length).to.be.above(EVENT_TYPES.length)
    expectBounded([...all, ...hostile])
    expect(await text()).not.to.match(/hostile|acme|127\.0\.0\.1/i)
  })

  it('is a silent port once, as a time-out, whatever it answers later', async () => {
    const { telemetry, series } = meters()
    const letGo: (() => void)[] = []
    const read = () => new Promise<null>((resolve) => letGo.push(() => resolve(null)))
    const store = { ...memoryStore(), find: read }
    const { secondStep } = makeHost({ options: { store, telemetry, timeout: 50 } })
    await secondStep.status('ann').catch(() => undefined)
    const before = await series()
    expect(sumOf(before, CALLS, { port: 'store', outcome: 'timeout' })).to.equal(1)
    for (const answer of letGo) answer()
    await new Promise(setImmediate)
    const calls = { port: 'store' }
    expect(sumOf(await series(), CALLS, calls)).to.equal(sumOf(before, CALLS, calls))
    await secondStep.close()
  })

  it('is each call once where two second steps of a process have the same telemetry, until both are closed', async () => {
    const { telemetry, series } = meters()
    const [one, other] = [
      makeHost({ options: { telemetry } }),
      makeHost({ options: { telemetry } }),
    ]
    const callsOf = async (port: string) => sumOf(await series(), CALLS, { port })
    const call = () => withTimeout('the mailer', async () => undefined, 1000)
    await call()
    expect(await callsOf('mail')).to.equal(1)
    await one.secondStep.close()
    await call()
    expect(await callsOf('mail')).to.equal(2)
    await other.secondStep.close()
    await call()
    expect(await callsOf('mail')).to.equal(2)
  })

  // A recorder that fails must not lock everybody out, nor let anybody in.
  it('is missing where the recorder fails, and nobody is refused', async () => {
    const fail = () => {
      throw new Error('the recorder is broken')
    }
    const broken: Telemetry = {
      metrics: {
        getMeter: () => ({
          createCounter: () => ({ add: fail }),
          createHistogram: () => ({ record: fail }),
          createObservableGauge: () => ({ addCallback: fail, removeCallback: fail }),
        }),
      },
      trace: { getTracer: fail, getActiveSpan: fail },
    }
    const warnings = await warningsDuring(async () => {
      const host = makeHost({ options: { telemetry: broken } })
      const enrolment = await enrol(host, ann)
      const browser = browserOf(host)
      await signIn(browser, ann, enrolment)
      await browser.get('/inside').expect(200)
      await host.secondStep.close()
    })
    expect(warnings.join()).to.contain('the recorder is broken')
  })

  it('loads nothing: the app gives what it has loaded', () => {
    const imported = files.flatMap((file) => importsOf(file, sourceOf(file)))
    expect(imported.filter((name) => name.startsWith('@opentelemetry'))).to.deep.equal([])
  })
})

describe('the spans of calls', () => {
  function traced(active: object | undefined) {
    const ended: unknown[] = []
    const startSpan = (name: string, { attributes }: { attributes: Record<string, string> }) => {
      const span = { name, attributes, code: 0 }
      return {
        setAttribute: (key: string, value: string) => {
          span.attributes = { ...span.attributes, [key]: value }
        },
        setStatus: ({ code }: { code: number }) => {
          span.code = code
        },
        end: () => ended.push(span),
      }
    }
    const trace = { getTracer: () => ({ startSpan }), getActiveSpan: () => active }
    return { ended, telemetry: { ...meters().telemetry, trace } }
  }

  it('say which port, and how it went', async () => {
    const { ended, telemetry } = traced({})
    const { secondStep } = makeHost({ options: { telemetry } })
    // The store may still be opened.
    await secondStep.status('ann')
    ended.length = 0
    await withTimeout('the audit log', async () => undefined, 1000)
    await withTimeout('the mailer', () => Promise.reject(new Error('hostile')), 1000).catch(
      () => undefined,
    )
    expect(ended).to.deep.equal([
      { name: 'second_step audit', attributes: { port: 'audit', outcome: 'ok' }, code: 0 },
      { name: 'second_step mail', attributes: { port: 'mail', outcome: 'error' }, code: 2 },
    ])
    await secondStep.close()
  })

  it('are none for work that belongs to no span', async () => {
    const { ended, telemetry } = traced(undefined)
    const { secondStep } = makeHost({ options: { telemetry } })
    await secondStep.status('ann')
    await secondStep.close()
    expect(ended).to.deep.equal([])
  })
})
