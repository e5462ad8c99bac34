// A part that hangs would keep every request waiting. How long it may is the host's to say: a database
// that is slow and right must not refuse everybody, and a host with little patience need not wait.

import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import {
  type AuditLog,
  type Counters,
  memoryAuditLog,
  memoryStore,
  type RecordStore,
  type SecondStepOptions,
} from '../../../lib/index.js'
import { memoryCounters } from '../../../lib/limits/memory-counters.js'
import { ADMIN, adminVisit, PEOPLE, usersOf } from '../../support/admin.js'
import { getJson, postJson } from '../../support/answers.js'
import {
  browserOf,
  browserWithCookie,
  enrol,
  giveCode,
  passFirstStep,
} from '../../support/browser.js'
import { ann, type HostUser } from '../../support/host.js'
import { lostVisit } from '../../support/lost.js'
import { SlowHost } from '../../support/slow-host.js'
import { enrolledVisit, pendingVisit, signedInVisit, wrongCodeOf } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const TIMEOUT = 300
/** That of one call, and of the steps of a login together. */
const LIMITS = /no answer within (300|450) ms/
/** In memory: a database may be slow by itself. */
const short = () => ({ timeout: TIMEOUT, store: memoryStore() })
const silence = () => new Promise<never>(() => undefined)

/** What hangs from now on, where the test says so. */
function gauge() {
  const state = { hangs: false }
  const held =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      state.hangs ? silence() : call(...args)
  return { state, held }
}

/** That it is refused, by the time that was given and not before it is over. */
async function refusedInTime(ask: () => PromiseLike<{ status: number }>): Promise<void> {
  const began = performance.now()
  const said = await warningsDuring(async () => {
    expect((await ask()).status).to.equal(503)
  })
  expect(performance.now() - began).to.be.at.least(TIMEOUT - 20)
  expect(said.join()).to.match(LIMITS)
}

function heldStore(held: ReturnType<typeof gauge>['held'], name: 'find' | 'write' | 'list') {
  const store: RecordStore = memoryStore()
  return { ...store, [name]: held(store[name] as (...args: unknown[]) => Promise<unknown>) }
}

function heldCounters(held: ReturnType<typeof gauge>['held']): Counters {
  const counters = memoryCounters()
  return {
    counter: (name, seconds) => {
      const counter = counters.counter(name, seconds)
      return { ...counter, take: held(counter.take.bind(counter)) }
    },
  }
}

function heldAudit(held: ReturnType<typeof gauge>['held']): AuditLog {
  const log = memoryAuditLog()
  return { ...log, append: held(log.append.bind(log)) }
}

/** Parts of a code's request, each held by its gauge. */
const parts: Readonly<
  Record<string, (held: ReturnType<typeof gauge>['held']) => Partial<SecondStepOptions<HostUser>>>
> = {
  'reading a record': (held) => ({ store: heldStore(held, 'find') }),
  'writing a record': (held) => ({ store: heldStore(held, 'write') }),
  'a counter': (held) => ({ counters: heldCounters(held) }),
  'the audit log': (held) => ({ audit: heldAudit(held) }),
}

describe('the option `timeout`', () => {
  for (const [part, make] of Object.entries(parts)) {
    it(`is what ${part} may take`, async () => {
      const { state, held } = gauge()
      const visit = await pendingVisit({ options: { ...short(), ...make(held) } })
      state.hangs = true
      await refusedInTime(() => giveCode(visit.browser, wrongCodeOf(visit.host, visit.enrolment)))
    })
  }

  const atSignIn = {
    'the first step': ['serializeUser', 'destroy', 'set'],
    'the second step': ['deserializeUser', 'destroy', 'set'],
  } as const
  for (const [step, names] of Object.entries(atSignIn)) {
    for (const name of names) {
      it(`is what ${name} of the host's may take at ${step}`, async () => {
        const world = new SlowHost({ options: { timeout: TIMEOUT } })
        const enrolment = await enrol(world.host, ann)
        const browser = browserWithCookie(world.host)
        const giveIt = () => giveCode(browser, enrolment.code())
        if (step === 'the second step') await passFirstStep(browser, ann).expect(200)
        world.slow = name
        await refusedInTime(step === 'the second step' ? giveIt : () => passFirstStep(browser, ann))
        await world.comeLate()
      })
    }
  }

  it('is what the steps of a login may take together, and half of it more', async () => {
    // Each in time, and all of them together not.
    const slow = () => wait(0.9 * TIMEOUT)
    const world = new SlowHost({ options: { timeout: TIMEOUT } })
    const { sessions } = world.host
    const enrolment = await enrol(world.host, ann)
    const browser = browserOf(world.host)
    await passFirstStep(browser, ann).expect(200)
    for (const call of ['destroy', 'set'] as const) {
      const now = sessions[call].bind(sessions) as (...args: unknown[]) => void
      Reflect.set(sessions, call, (...args: unknown[]) => void slow().then(() => now(...args)))
    }
    world.slow = 'serializeUser'
    const serialised = slow().then(() => world.comeLate())
    await refusedInTime(() => giveCode(browser, enrolment.code()))
    await serialised
  })

  it('is what `onPending` may take', async () => {
    const visit = await enrolledVisit({ options: { ...short(), onPending: silence } })
    await refusedInTime(() => passFirstStep(visit.browser, ann))
  })

  it('is what `users` and `canAdminister` may take', async () => {
    const { state, held } = gauge()
    const users = usersOf(PEOPLE)
    const { browser, host } = await adminVisit({
      ...short(),
      users: { ...users, findById: held(users.findById) },
      canAdminister: silence,
    })
    await enrol(host, ann)
    await refusedInTime(() => postJson(browser, `${ADMIN}/users/ann/disable`))
    state.hangs = true
    await refusedInTime(() => getJson(browser, `${ADMIN}/users/ann`))
  })

  it('is what the functions of `lost` may take', async () => {
    for (const name of ['allow', 'heldUntil'] as const) {
      const { state, held } = gauge()
      const lost = { [name]: held(async () => (name === 'allow' ? true : null)) }
      const visit = await lostVisit({ ...short(), lost })
      await visit.ask()
      state.hangs = true
      await refusedInTime(() => postJson(visit.browser, visit.link()))
    }
  })

  it('is what `allow` of the admin router may take', async () => {
    const { browser } = await signedInVisit({
      options: { ...short(), users: usersOf(PEOPLE) },
      mount: ({ app, secondStep }) =>
        void app.use(ADMIN, secondStep.adminRouter({ allow: silence })),
    })
    await refusedInTime(() => getJson(browser, `${ADMIN}/users`))
  })

  it('may be longer than the default, for a database that is slow', async () => {
    let slow = false
    const store = memoryStore()
    const late: RecordStore = {
      ...store,
      find: async (id) => {
        if (slow) await wait(1100)
        return store.find(id)
      },
    }
    const { browser } = await enrolledVisit({ options: { store: late, timeout: 3000 } })
    slow = true
    expect((await passFirstStep(browser, ann)).body).to.have.property('status', 'code-required')
  })
})
