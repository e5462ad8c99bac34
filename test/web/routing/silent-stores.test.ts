// The attack: somebody makes a store slow, or waits until it is, and hopes that a login whose end cannot
// be written down counts all the same, or that requests pile up until the app answers nobody.

import { expect } from 'chai'
import { type Counters, memoryStore, type RecordStore, redisStore } from '../../../lib/index.js'
import { memoryCounters } from '../../../lib/limits/memory-counters.js'
import { DEFAULT_TIMEOUT } from '../../../lib/ports/with-timeout.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { isIn } from '../../support/actions.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, type HostParts } from '../../support/host.js'
import { lostHost } from '../../support/lost.js'
import { type ConnectedClient, clientForTests } from '../../support/redis-clients.js'
import { type RedisServer, startRedisServer } from '../../support/redis-server.js'
import {
  enrolledVisit,
  pendingBrowser,
  pendingVisit,
  signedInVisit,
  type Visit,
  wrongCodeOf,
} from '../../support/visits.js'

// Twice the limit of one call is promised, two seconds at the default; the rest is the test's own, on a
// busy machine.
const inTime = (timeout: number) => 2 * timeout + 500

const SHORT = 500

type Answer = Awaited<ReturnType<typeof giveCode>>

async function expectRefusedInTime(ask: () => PromiseLike<Answer>, timeout = SHORT): Promise<void> {
  const began = performance.now()
  const answer = await ask()
  expect(performance.now() - began).to.be.below(inTime(timeout))
  expectProblem(answer, 'unavailable', 503)
  expect(answer.headers).to.not.have.property('set-cookie')
}

describe('a session store that never answers', () => {
  const logins: Record<string, (visit: Visit) => PromiseLike<Answer>> = {
    'a code': ({ browser, enrolment }) => giveCode(browser, enrolment.code()),
    'a backup code': ({ browser, enrolment }) => giveCode(browser, enrolment.backupCodes[0]),
    'a first step, with a second to come': ({ browser }) => passFirstStep(browser, ann),
    'a first step without a second': ({ browser }) => passFirstStep(browser, bob),
  }
  for (const call of ['destroy', 'set'] as const) {
    for (const [name, login] of Object.entries(logins)) {
      it(`is a 503 in time where ${call}() is silent at the end of ${name}, and nobody is in`, async () => {
        // Once at the default, which is what is promised.
        const given = name === 'a code' ? {} : { timeout: SHORT, store: memoryStore() }
        const visit = await pendingVisit({ options: given })
        const { sessions } = visit.host
        Reflect.set(sessions, call, () => undefined)
        await expectRefusedInTime(() => login(visit), given.timeout ?? DEFAULT_TIMEOUT)
        Reflect.deleteProperty(sessions, call)
        expect(await isIn(visit.browser)).to.equal(false)
      })
    }
  }
})

describe('a Redis that hangs from the write of a verdict on', () => {
  let server: RedisServer
  let client: ConnectedClient
  let store: RecordStore
  beforeEach(async () => {
    server = await startRedisServer()
    client = await clientForTests(server.url)
    store = redisStore(client.redis)
  })
  afterEach(async () => {
    client.end()
    await server.stop()
  })

  // At the default: a Redis of a busy machine needs more than a short limit.
  const options = () => ({ store, redis: client.redis })

  function hangAtNextWrite({ store }: Host): void {
    const { write } = store
    store.write = (record, expectedVersion) => {
      store.write = write
      server.pause()
      return write(record, expectedVersion)
    }
  }

  for (const code of ['right', 'wrong'] as const) {
    it(`is a 503 in time for a ${code} code, and nobody is in`, async () => {
      const { host, browser, enrolment } = await enrolledVisit({ options: options() })
      await passFirstStep(browser, ann)
      hangAtNextWrite(host)
      const given = code === 'right' ? enrolment.code() : wrongCodeOf(host, enrolment)
      await expectRefusedInTime(() => giveCode(browser, given), DEFAULT_TIMEOUT)
      server.resume()
      expect(await isIn(browser)).to.equal(false)
    })
  }

  it('is a 503 in time for the code of a set-up', async () => {
    const { host } = await enrolledVisit({ options: options() })
    const browser = browserOf(host)
    await passFirstStep(browser, bob)
    const { body } = await getJson(browser, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    hangAtNextWrite(host)
    const setUp = () => postJson(browser, '/second-step/setup', { code })
    await expectRefusedInTime(setUp, DEFAULT_TIMEOUT)
  })
})

describe('counters that are silent once a verdict has fallen', () => {
  function silentCounters() {
    const counters = memoryCounters()
    let isSilent = false
    const fallSilent = () => {
      isSilent = true
    }
    const never = () => new Promise<never>(() => undefined)
    const silent: Counters = {
      counter: (name, seconds) => {
        const counter = counters.counter(name, seconds)
        const isOfRow = name === 'wrong-codes-in-a-row'
        return {
          ...counter,
          take: (key, limit) => (isSilent && isOfRow ? never() : counter.take(key, limit)),
          giveBack: (key) => (isSilent ? never() : counter.giveBack(key)),
        }
      },
    }
    return { counters: silent, fallSilent }
  }

  // Longer than the test may take: whoever waits for them, waits in vain.
  const timeout = 30_000

  it('keep nobody waiting for a place that is given back', async () => {
    const { counters, fallSilent } = silentCounters()
    const { host, browser, enrolment } = await pendingVisit({ options: { counters, timeout } })
    const code = enrolment.code()
    await giveCode(await pendingBrowser(host), code).expect(200)
    fallSilent()
    expectProblem(await giveCode(browser, code), 'wrong-code', 401)
  })

  it('keep nobody waiting for a wrong code that is counted for a mail', async () => {
    const { counters, fallSilent } = silentCounters()
    const visit = await pendingVisit(lostHost({ counters, timeout }, [ann]).options)
    fallSilent()
    const wrong = wrongCodeOf(visit.host, visit.enrolment)
    expectProblem(await giveCode(visit.browser, wrong), 'wrong-code', 401)
  })
})

describe('a session store that is silent when a session is saved', () => {
  const silent = ({ sessions }: Host) => {
    sessions.set = () => undefined
  }

  it('is a 503 in time for a reset', async () => {
    const { host, browser, enrolment } = await signedInVisit({ options: { timeout: SHORT } })
    silent(host)
    const { code } = enrolment
    await expectRefusedInTime(() => postJson(browser, '/second-step/reset', { code: code() }))
  })

  it('is a 503 in time in a session that was ended', async () => {
    const { host, browser } = await signedInVisit({ options: { timeout: SHORT } })
    await host.secondStep.endSessions('ann')
    silent(host)
    await expectRefusedInTime(() => getJson(browser, '/inside'))
  })
})

describe('a log-out by the host itself while the session store is away', () => {
  const routes = ({ app }: HostParts) => {
    for (const call of ['destroy', 'regenerate'] as const)
      app.post(`/${call}`, (req, res, next) => {
        req.session[call]((error?: unknown) => {
          const left = Reflect.get(Object(req.session), 'passport')
          if (left !== undefined) res.status(500).json({ left })
          else if (error) next(error)
          else res.json({})
        })
      })
  }
  const away = {
    'never answers': () => undefined,
    fails: (_id: string, done?: (error: unknown) => void) => done?.(new Error('away')),
  }
  for (const call of ['destroy', 'regenerate']) {
    for (const [how, destroy] of Object.entries(away)) {
      it(`is a 503 in time by ${call}() where it ${how}, and the login is over`, async () => {
        const { host, browser } = await signedInVisit({ options: { timeout: SHORT }, routes })
        Reflect.set(host.sessions, 'destroy', destroy)
        await expectRefusedInTime(() => postJson(browser, `/${call}`))
        Reflect.deleteProperty(host.sessions, 'destroy')
        expect(await isIn(browser)).to.equal(false)
      })
    }
  }
})
