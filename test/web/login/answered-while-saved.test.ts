// The mistake: the host's own time-out answers while a login is being saved. That answer sends the id of the new
// session, and its end saves the session once more: if this second write is the slower one, whoever was told that
// the login failed is signed in.

import { expect } from 'chai'
import session from 'express-session'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep, signIn } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'

/** A host whose time-out is over when the test says so, and whose session store writes then. */
function hostThatGivesUp() {
  const giveUp: { now: () => void } = { now: () => undefined }
  const host = makeHost({
    beforeGuard: ({ app }) => {
      app.use((_req, res, next) => {
        giveUp.now = () => void res.status(504).json({ said: 'too slow' })
        next()
      })
    },
  })
  return { host, giveUp: () => giveUp.now() }
}

/** Holds back what is written from now on. */
function holdWrites({ sessions }: Host) {
  const held: (() => void)[] = []
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const set = sessions.set.bind(sessions)
  sessions.set = (id, contents, done) => {
    const copy = JSON.parse(JSON.stringify(contents))
    held.push(() => set(id, copy, done))
    begin()
  }
  const writeNext = async () => {
    held.shift()?.()
    await settled()
  }
  return {
    begun,
    async writeEach() {
      await settled()
      while (held.length > 0) await writeNext()
      sessions.set = set
    },
  }
}

/** What is left of the request runs at once. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

interface Login {
  readonly browser: Browser
  /** The request that is answered by the host. */
  ask(): PromiseLike<{ status: number; headers: object }>
}

async function challenge(host: Host): Promise<Login> {
  const { code } = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(200)
  return { browser, ask: () => postJson(browser, '/second-step/challenge', { code: code() }) }
}

const LOGINS: Readonly<Record<string, (host: Host) => Promise<Login>>> = {
  'a code at the challenge': challenge,
  'a code at the challenge, with a store that regenerates by itself': async (host) => {
    const own = session.Store.prototype.regenerate
    host.sessions.regenerate = (req, done) => own.call(host.sessions, req, done)
    return challenge(host)
  },
  'a fresh code': async (host) => {
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    host.system.advance(30 * SECOND)
    const body = { code: enrolment.code() }
    return { browser, ask: () => postJson(browser, '/second-step/fresh', body) }
  },
  'a set-up': async (host) => {
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const { body } = await getJson(browser, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.uri).code(host.system.now())
    return { browser, ask: () => postJson(browser, '/second-step/setup', { code }) }
  },
  'a password, of a user without a second step': async (host) => {
    const browser = browserOf(host)
    return { browser, ask: () => passFirstStep(browser, bob) }
  },
}

describe('a login that the host has answered while it was being saved', () => {
  for (const [name, begin] of Object.entries(LOGINS)) {
    it(`signs nobody in, and sends no id: ${name}`, async () => {
      const { host, giveUp } = hostThatGivesUp()
      const { browser, ask } = await begin(host)
      const writes = holdWrites(host)
      const asked = ask().then((response) => response)
      await writes.begun
      giveUp()
      await writes.writeEach()
      const { status, headers } = await asked
      expect(status).to.equal(504)
      await getJson(browser, '/inside').expect(401)
      expect(Object.keys(headers)).not.to.include('set-cookie')
    })
  }
})

// The mistake: the store's client gives a write up (`commandTimeout` of ioredis) and answers with an error, but the store
// has done it. The login is refused, and a session with its user stays in the store.
describe('a login whose session was saved, although the store’s client answers with an error', () => {
  for (const [name, begin] of Object.entries(LOGINS)) {
    it(`leaves no session behind: ${name}`, async () => {
      const host = makeHost()
      const { ask } = await begin(host)
      const before = new Set(idsOf(host))
      const set = host.sessions.set.bind(host.sessions)
      host.sessions.set = (id, contents, done) => {
        set(id, contents, () => done?.(new Error('Command timed out')))
      }
      expect((await ask()).status).to.equal(503)
      await settled()
      expect(idsOf(host).filter((id) => !before.has(id))).to.deep.equal([])
    })
  }
})

function idsOf({ sessions }: Host): readonly string[] {
  return Object.keys(Reflect.get(sessions, 'sessions'))
}
