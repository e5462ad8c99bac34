// The attack: somebody holds a session that was ended in another process, whose message was lost. It may live for the
// time that the host has allowed, and opens nothing meanwhile but the host's own pages.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { MemoryStore } from 'express-session'
import type { RecordStore } from '../../../lib/index.js'
import { largeRecord, nextVersion } from '../../../lib/testing/documents.js'
import { ADMIN, adminAt, makeAdminHost, PEOPLE, putJson, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { cookieOf, editSession, slowRequest, useCookie } from '../../support/sessions.js'
import { storeForTests } from '../../support/store-for-tests.js'
import { recordOf, setPolicy } from '../../support/visits.js'

const WITHIN = 1000

/** One store and one list of sessions for several processes. No messages go between them. */
interface Shared {
  readonly options: NonNullable<HostOptions['options']>
  readonly system?: Host['system']
  readonly sessionStore?: MemoryStore
}

function firstOf(given: HostOptions = {}, make = makeHost): { here: Host; shared: Shared } {
  const options = {
    keys: [randomBytes(32).toString('base64')],
    store: storeForTests(),
    revocation: { within: '1s' },
    ...given.options,
  }
  const here = make({ ...given, options })
  return { here, shared: { options, system: here.system, sessionStore: here.sessions } }
}

/** Two processes of one app. */
function twoOf(given: HostOptions = {}): { here: Host; elsewhere: Host } {
  const { here, shared } = firstOf(given)
  return { here, elsewhere: makeHost({ ...given, ...shared }) }
}

/** Counts what is read of users from now on. */
function countedReads({ store }: { store: RecordStore }): () => number {
  let reads = 0
  for (const name of ['find', 'read'] as const) {
    const read = store[name] as ((...given: unknown[]) => Promise<never>) | undefined
    if (read === undefined) continue
    Object.assign(store, {
      [name]: (...given: unknown[]) => {
        reads += 1
        return read.apply(store, given)
      },
    })
  }
  return () => reads
}

/** Ann is signed in by both steps, and the guard has just read her record. */
async function annAt(
  host: Host,
): Promise<{ browser: Browser; cookie: string; enrolment: Enrolment }> {
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  await browser.get('/inside').expect(200)
  return { browser, cookie, enrolment }
}

describe('a guard that keeps what it has read', () => {
  it('reads nothing for another request within the time, and reads again after it', async () => {
    const { here } = twoOf()
    const { browser } = await annAt(here)
    const reads = countedReads(here)
    const { body } = await browser.get('/inside').expect(200)
    expect(body).to.deep.equal({ user: 'ann', status: 'verified' })
    expect(reads()).to.equal(0)
    here.system.advance(WITHIN)
    await browser.get('/inside').expect(200)
    expect(reads()).to.be.greaterThan(0)
  })

  it('reads at every request where the host has not asked for it', async () => {
    const here = makeHost()
    const { browser } = await annAt(here)
    const reads = countedReads(here)
    await browser.get('/inside').expect(200)
    expect(reads()).to.be.greaterThan(0)
  })

  it('lets a session that another process has ended live for that time at most', async () => {
    const { here, elsewhere } = twoOf()
    const { browser } = await annAt(here)
    await elsewhere.secondStep.endSessions('ann')
    here.system.advance(WITHIN - 1)
    await browser.get('/inside').expect(200)
    here.system.advance(1)
    await browser.get('/inside').expect(401)
  })

  it('does not begin the time anew at each request', async () => {
    const { here, elsewhere } = twoOf()
    const { browser } = await annAt(here)
    await elsewhere.secondStep.endSessions('ann')
    for (let passed = 0; passed < WITHIN; passed += 250) {
      await browser.get('/inside').expect(200)
      here.system.advance(250)
    }
    await browser.get('/inside').expect(401)
  })

  it('ends at the next request a session that its own process has ended', async () => {
    const { here } = twoOf()
    const { browser } = await annAt(here)
    await here.secondStep.endSessions('ann')
    await browser.get('/inside').expect(401)
  })

  it('ends at the next request one that its user has left, also if it is written back', async () => {
    const { here } = twoOf()
    const { browser, cookie } = await annAt(here)
    const other = useCookie(browserOf(here), cookie)
    await other.get('/inside').expect(200)
    await browser.post('/logout').expect(200)
    await other.get('/inside').expect(401)
  })

  it('ends it also where another session of the user’s has had the record read anew', async () => {
    const { here } = twoOf()
    const { browser, cookie, enrolment } = await annAt(here)
    here.system.advance(30_000)
    const { writeBack } = slowRequest(here, cookie)
    const other = browserOf(here)
    await signIn(other, ann, enrolment)
    await browser.post('/logout').expect(200)
    await other.get('/inside').expect(200)
    writeBack()
    await useCookie(browserOf(here), cookie).get('/inside').expect(401)
  })

  it('feels at the next request what an admin does in its process', async () => {
    const { here } = firstOf({}, (given) => makeAdminHost({}, given))
    const admin = await adminAt(here)
    const { browser } = await annAt(here)
    const path = `${ADMIN}/users/ann/end-sessions`
    await postJson(admin.browser, path, { reason: 'stolen laptop' }).expect(200)
    await browser.get('/inside').expect(401)
  })

  it('feels at the next request a policy that its process has changed', async () => {
    const { here } = firstOf({}, (given) => makeAdminHost({}, given))
    const admin = await adminAt(here)
    const browser = browserOf(here)
    await passFirstStep(browser, bob)
    await browser.get('/inside').expect(200)
    await putJson(admin.browser, `${ADMIN}/policy`, { mode: 'required', graceDays: 0 }).expect(200)
    await browser.get('/inside').expect(401)
  })

  it('does not keep a read that a change has overtaken', async () => {
    const { here } = twoOf()
    const { browser } = await annAt(here)
    here.system.advance(WITHIN)
    const { store } = here
    const { find, read } = store
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const begun = new Promise<void>((resolve) => {
      // It has read the record as it was, and its answer is on its way.
      const parked =
        <Given extends unknown[], Answer>(call: (...given: Given) => Promise<Answer>) =>
        async (...given: Given) => {
          const answer = await call.apply(store, given)
          resolve()
          await released
          return answer
        }
      if (read !== undefined) store.read = parked(read)
      store.find = parked(find)
    })
    const slow = browser.get('/inside').then(({ status }) => status)
    await begun
    Object.assign(store, { find, read })
    await here.secondStep.endSessions('ann')
    release()
    expect(await slow).to.equal(200)
    await browser.get('/inside').expect(401)
  })

  it('turns nobody away by it: a session that began elsewhere is met anew', async () => {
    const { here, elsewhere } = twoOf()
    const enrolment = await enrol(here, ann)
    const before = browserOf(here)
    await signIn(before, ann, enrolment)
    await before.get('/inside').expect(200)
    await elsewhere.secondStep.endSessions('ann')
    here.system.advance(30_000)
    await before.get('/inside')
    await elsewhere.secondStep.endSessions('ann')
    const browser = browserOf(elsewhere)
    await passFirstStep(browser, ann)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    await useCookie(browserOf(here), cookie).get('/inside').expect(200)
  })

  it('does not keep a read that failed, and refuses once the time is over', async () => {
    const { here } = twoOf()
    const { browser } = await annAt(here)
    const { store } = here
    const { find, read } = store
    const away = () => Promise.reject(new Error('away'))
    Object.assign(store, { find: away, read: away })
    await browser.get('/inside').expect(200)
    here.system.advance(WITHIN)
    await browser.get('/inside').expect(503)
    await browser.get('/inside').expect(503)
    Object.assign(store, { find, read })
    await browser.get('/inside').expect(200)
  })

  it('asks the user store for the roles at every request all the same', async () => {
    const roles = new Map<string, readonly string[]>()
    const findById = async (id: string) => {
      const user = PEOPLE.find((one) => one.id === id)
      return user === undefined ? null : { ...user, roles: roles.get(id) ?? user.roles ?? [] }
    }
    const options = { users: { findById }, roles: ['user', 'admin'] }
    const { here } = firstOf({ users: PEOPLE, options })
    await setPolicy(here, {
      roles: { admin: 'required' },
      requiredSince: { general: null, roles: { admin: 0 } },
    })
    const browser = browserOf(here)
    await passFirstStep(browser, bob)
    await browser.get('/inside').expect(200)
    const reads = countedReads(here)
    await browser.get('/inside').expect(200)
    expect(reads()).to.equal(0)
    roles.set('bob', ['admin'])
    await browser.get('/inside').expect(401)
  })

  it('reads at every request of a user whose reset by mail waits: a new address ends it', async () => {
    const { here } = twoOf()
    const { browser } = await annAt(here)
    const { mailReset } = largeRecord('ann')
    const record = nextVersion(await recordOf(here), { mailReset })
    expect(await here.store.write(record, record.version - 1)).to.equal(true)
    here.system.advance(WITHIN)
    await browser.get('/inside').expect(200)
    const reads = countedReads(here)
    await browser.get('/inside').expect(200)
    expect(reads()).to.be.greaterThan(0)
  })

  it('lets no user in beside a pending login', async () => {
    const { here } = twoOf()
    const browser = browserOf(here)
    await passFirstStep(browser, bob)
    await browser.get('/inside').expect(200)
    editSession(here, (session) => {
      session.secondStep = { pending: {} } as object
    })
    await browser.get('/inside').expect(401)
  })

  it('takes a login in front of it for a first step each time', async () => {
    const { here } = firstOf({
      beforeGuard: ({ app }) => {
        app.use((req, _res, next) => {
          if (req.query.remembered === undefined) next()
          else req.logIn(bob, next)
        })
      },
    })
    const browser = browserOf(here)
    await browser.get('/inside?remembered').expect(200)
    const reads = countedReads(here)
    await browser.get('/inside?remembered').expect(200)
    expect(reads()).to.be.greaterThan(0)
  })

  it('puts up with a user whom the app describes wrongly, on the pages of signing out', async () => {
    const state = { broken: false }
    const describe = ({ id }: HostUser) => ({ id: state.broken ? undefined : id })
    const { here } = firstOf({ options: { describe } })
    const { browser } = await annAt(here)
    state.broken = true
    await browser.post('/logout').expect(200)
  })
})

describe('what the guard keeps is not enough', () => {
  /** Each is asked by somebody whose session another process has ended, right after the guard has read. */
  const readers: Record<string, (browser: Browser, host: Host) => Promise<unknown>> = {
    'for the settings': async (browser) =>
      expectProblem(await getJson(browser, '/second-step'), 'not-signed-in', 401),
    'for new backup codes': async (browser) =>
      expectProblem(
        await postJson(browser, '/second-step/backup-codes', { code: '000000' }),
        'not-signed-in',
        401,
      ),
    'to set up another app': async (browser) =>
      expectProblem(await getJson(browser, '/second-step/setup'), 'not-signed-in', 401),
    'for a fresh code': async (browser) =>
      expectProblem(
        await postJson(browser, '/second-step/fresh', { code: '000000' }),
        'not-signed-in',
        401,
      ),
    'for a route behind requireFresh()': async (browser) =>
      expectProblem(await getJson(browser, '/payout'), 'sign-in-again', 401),
    'for the admin pages': async (browser) => {
      await getJson(browser, `${ADMIN}/users`).expect(401)
    },
    'for a web socket': async (browser) => {
      await browser.get('/socket').expect(401)
    },
    'to go on with another login': async (browser) => {
      expectProblem(await postJson(browser, '/link'), 'sign-in-again', 401)
    },
    'to pass the password step once more': async (browser) => {
      const { body } = await passFirstStep(browser, ann).expect(200)
      expect(body.status).to.equal('code-required')
    },
    'for the status that the host asks for': async (_browser, { secondStep }) => {
      expect((await secondStep.status('ann')).state).to.equal('off')
    },
    'to keep the session in which the password changes': async (browser) => {
      await postJson(browser, '/password')
      await browser.get('/inside').expect(401)
    },
  }

  const withRoutes: HostOptions = {
    mount: ({ app, secondStep }) => {
      app.use(ADMIN, secondStep.adminRouter())
      app.get('/payout', secondStep.requireFresh(), (_req, res) => res.json({}))
      app.get('/socket', (req, res) => {
        secondStep.requireSignedIn(req).then(
          () => res.json({}),
          ({ status }) => res.status(status).json({}),
        )
      })
      app.post('/link', (req, res, next) => {
        const { user } = req
        if (user === undefined) res.status(500).json({})
        else req.logIn(user, (error: unknown) => (error ? next(error) : res.json({})))
      })
      app.post('/password', (req, res, next) => {
        secondStep.passwordChanged('ann', { except: req }).then(() => res.json({}), next)
      })
    },
    options: { users: usersOf(PEOPLE) },
  }

  for (const [name, asks] of Object.entries(readers)) {
    it(name, async () => {
      const { here, elsewhere } = twoOf(withRoutes)
      const { browser } = await annAt(here)
      if (name.includes('status')) await forget(elsewhere)
      else await elsewhere.secondStep.endSessions('ann')
      await browser.get('/inside').expect(200)
      await asks(browser, here)
    })
  }

  it('for the challenge of a pending login', async () => {
    const { here, elsewhere } = twoOf()
    await enrol(here, ann)
    const browser = browserOf(here)
    await passFirstStep(browser, ann)
    await getJson(browser, '/second-step/challenge').expect(200)
    await elsewhere.secondStep.endSessions('ann')
    expectProblem(await getJson(browser, '/second-step/challenge'), 'sign-in-again', 401)
    await browser.get('/inside').expect(401)
  })

  it('to sign in by a rule that is stricter by now', async () => {
    const { here, elsewhere } = twoOf()
    const browser = browserOf(here)
    await passFirstStep(browser, bob)
    await browser.get('/inside').expect(200)
    await setPolicy(elsewhere, {
      mode: 'required',
      graceDays: 0,
      requiredSince: { general: 0, roles: {} },
    })
    const { body } = await passFirstStep(browserOf(here), bob).expect(200)
    expect(body.status).to.equal('setup-required')
  })

  async function forget(host: Host): Promise<void> {
    const record = await host.store.find('ann')
    if (record === null) throw new Error('there is no record')
    const { version } = record
    const forgotten = { ...record, authenticators: [], backupCodes: null, version: version + 1 }
    expect(await host.store.write({ ...forgotten, writeId: 'forgotten' }, version)).to.equal(true)
  }
})
