// Each export of metrics that starts a count of all users is a load that a monitor's interval decides, and a stranger
// where the metrics are public.

import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { memoryStore } from '../../lib/index.js'
import { listOf, makeAdminHost, PEOPLE, usersOf } from '../support/admin.js'
import { enrol } from '../support/browser.js'
import { MINUTE } from '../support/clock.js'
import { ann } from '../support/host.js'
import { type Meters, meters } from '../support/measured.js'
import { setPolicy } from '../support/visits.js'
import { warningsDuring } from '../support/warnings.js'

async function statesIn({ series }: Meters): Promise<Record<string, number>> {
  const found = (await series()).filter(({ name }) => name === 'second_step_users')
  return Object.fromEntries(found.map(({ labels, value }) => [labels.state, value]))
}

/** Counting goes on in the background: exports until what it came to is there. */
async function statesOf(
  exported: Meters,
  isDone = (states: Record<string, number>) => states.on !== undefined,
) {
  for (;;) {
    const states = await statesIn(exported)
    if (isDone(states)) return states
    await new Promise(setImmediate)
  }
}

function measuredHost({ searchable = true } = {}) {
  const exported = meters()
  const asked: unknown[] = []
  const list = listOf(PEOPLE)
  const counted = async (query: Parameters<typeof list>[0]) => {
    asked.push(query.cursor)
    return list(query)
  }
  const { findById } = usersOf(PEOPLE)
  const users = searchable ? { findById, list: counted } : { findById }
  const host = makeAdminHost({ users, telemetry: exported.telemetry })
  return { host, exported, asked }
}

describe('the gauge of users', () => {
  it('is nothing before the first count, then how many are in which state', async () => {
    const { host, exported } = measuredHost()
    await enrol(host, ann)
    await setPolicy(host, { mode: 'required' })
    expect(await statesIn(exported)).to.deep.equal({})
    expect(await statesOf(exported)).to.deep.equal({
      ...{ on: 1, off: 0, 'must-set-up': 3, paused: 0, locked: 0 },
    })
    await host.secondStep.close()
  })

  it('is counted no more often than the overview is, however often it is exported', async () => {
    const { host, exported, asked } = measuredHost()
    await statesOf(exported)
    await enrol(host, ann)
    for (let at = 0; at < 20; at += 1) expect(await statesIn(exported)).to.include({ on: 0 })
    expect(asked).to.have.length(1)
    host.system.advance(MINUTE)
    await statesOf(exported, ({ on }) => on === 1)
    expect(asked).to.have.length(2)
    await host.secondStep.close()
  })

  it('has only the states that are known: without a list of users, those of the enrolled', async () => {
    const { host, exported } = measuredHost({ searchable: false })
    await enrol(host, ann)
    expect(await statesOf(exported)).to.deep.equal({ on: 1, paused: 0, locked: 0 })
    await host.secondStep.close()
  })

  it('is what was counted before where the users are away, and the operator is told', async () => {
    const exported = meters()
    let isAway = false
    const list = listOf(PEOPLE)
    const users = {
      ...usersOf(PEOPLE),
      list: async (query: Parameters<typeof list>[0]) => {
        if (isAway) throw new Error('the users are away')
        return list(query)
      },
    }
    const host = makeAdminHost({ users, telemetry: exported.telemetry })
    const before = await statesOf(exported)
    isAway = true
    host.system.advance(MINUTE)
    const warnings = await warningsDuring(async (soFar) => {
      while (soFar().length === 0) {
        expect(await statesIn(exported)).to.deep.equal(before)
        await new Promise(setImmediate)
      }
    })
    expect(warnings.join()).to.contain('the users are away')
    await host.secondStep.close()
  })

  // A million users are twenty thousand calls: as spans of the one request they would be its whole trace.
  it('is counted outside of the span of whoever asks for it', async () => {
    const exported = meters()
    const spans = new AsyncLocalStorage<object>()
    const begun: string[] = []
    const span = { setAttribute: () => span, setStatus: () => span, end: () => undefined }
    const startSpan = (name: string) => {
      begun.push(name)
      return span
    }
    const trace = { getTracer: () => ({ startSpan }), getActiveSpan: () => spans.getStore() }
    const host = makeAdminHost({ telemetry: { ...exported.telemetry, trace } })
    await host.secondStep.status('ann')
    await spans.run({}, () => statesOf(exported))
    expect(begun).to.deep.equal([])
    await host.secondStep.close()
  })

  // The mistake: a list of the host's leads from a page to the next and back, and the count has no end.
  it('ends where the list of users goes in a circle', async () => {
    const exported = meters()
    let pages = 0
    const list = async () => {
      pages += 1
      if (pages > 10) throw new Error('it has no end')
      return { users: [], next: pages % 2 === 0 ? 'even' : 'odd' }
    }
    const host = makeAdminHost({
      users: { ...usersOf(PEOPLE), list },
      telemetry: exported.telemetry,
    })
    const warnings = await warningsDuring(async (soFar) => {
      while (soFar().length === 0) {
        await statesIn(exported)
        await new Promise(setImmediate)
      }
    })
    expect(warnings.join()).to.contain('goes in a circle')
    await host.secondStep.close()
  })

  // The app may have closed its clients by then.
  it('is not counted any more after close()', async () => {
    let reads = 0
    const kept = memoryStore()
    const store = {
      ...kept,
      findPolicy: async () => {
        reads += 1
        return kept.findPolicy()
      },
    }
    const exported = meters()
    const host = makeAdminHost({ store, telemetry: exported.telemetry })
    await statesOf(exported)
    await host.secondStep.close()
    const before = reads
    host.system.advance(MINUTE)
    await statesIn(exported)
    expect(reads).to.equal(before).and.above(0)
  })
})
