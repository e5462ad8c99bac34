// The attack: a user without a second step signs out, and a slow request writes the session back. Its site has
// dropped the key under which that session began, or its pages have moved, so it does not know the session's login
// as its own, and takes the session for one that is older than the package. Whoever has the cookie gets in, and
// sets up a second step with a phone of their own.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import session from 'express-session'
import { expectProblem, getJson } from '../../support/answers.js'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { bob, type Host, type HostOptions, makeHost } from '../../support/host.js'
import {
  cookieOf,
  editSession,
  sessionsOf,
  slowRequest,
  useCookie,
} from '../../support/sessions.js'
import { warningsDuring } from '../../support/warnings.js'

const newKey = () => randomBytes(32).toString('base64')

/** A new version of the host, with its store and sessions. */
function nextOf(host: Host, { options, ...given }: HostOptions): Host {
  const { store, system, sessions: sessionStore } = host
  return makeHost({ system, sessionStore, ...given, options: { store, ...options } })
}

/** Bob's session, which was logged out and then written back. */
async function writtenBack(keys: readonly string[]) {
  const host = makeHost({ options: { keys } })
  const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
  const slow = slowRequest(host, cookie)
  await useCookie(browserOf(host), cookie).post('/logout').expect(200)
  slow.writeBack()
  return { host, cookie }
}

const CHANGES: Readonly<Record<string, (key: string) => HostOptions>> = {
  'the old key was dropped': () => ({ options: { keys: [newKey()] } }),
  'the pages have moved': (key) => ({
    options: { keys: [key], paths: { secondStep: '/mfa' } },
    mount: ({ app, secondStep }) => void app.use('/mfa', secondStep.router()),
  }),
  'the old key was dropped, and the guard may go by what it has read': () => ({
    options: { keys: [newKey()], revocation: { within: '1s' } },
  }),
  'the old key was dropped, and the app signs its users in again in front of the guard': () => ({
    options: { keys: [newKey()] },
    beforeGuard: ({ app }) =>
      void app.use((req, _res, next) => (req.user ? req.logIn(req.user, next) : next())),
  }),
}

describe('a session that was logged out and is written back', () => {
  for (const [change, next] of Object.entries(CHANGES)) {
    it(`is dead where ${change}`, async () => {
      const key = newKey()
      const { host, cookie } = await writtenBack([key])
      const options = next(key)
      const pages = options.options?.paths?.secondStep ?? '/second-step'
      const thief = useCookie(browserOf(nextOf(host, options)), cookie)
      await getJson(thief, '/inside').expect(401, { user: null })
      await getJson(thief, '/inside').expect(401, { user: null })
      expectProblem(await getJson(thief, `${pages}/setup`), 'not-signed-in', 401)
    })
  }

  it('is dead where its stamp can’t be read', async () => {
    const key = newKey()
    const { host, cookie } = await writtenBack([key])
    editSession(host, (stored) => {
      stored.secondStep = { verified: '9 of a later version' }
    })
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401, { user: null })
  })

  it('opens no web socket where the old key was dropped', async () => {
    const { host, cookie } = await writtenBack([newKey()])
    const next = nextOf(host, { options: { keys: [newKey()] } })
    const app = express().use(
      session({ secret: 'test', resave: false, saveUninitialized: false, store: host.sessions }),
      next.passport.session(),
    )
    app.get('/socket', (req, res) => {
      next.secondStep.requireSignedIn(req).then(
        () => res.json({}),
        ({ code }: { code?: string }) => res.status(401).json({ code }),
      )
    })
    await getJson(useCookie(browserOf({ app }), cookie), '/socket').expect(401, {
      code: 'not-signed-in',
    })
  })
})

// The mistake: a key is replaced and not kept, and everybody is signed out, which nothing explains.
it('a session whose key was dropped is told to the operator, once a minute', async () => {
  const { host, cookie } = await writtenBack([newKey()])
  const next = nextOf(host, { options: { keys: [newKey()] } })
  const slow = slowRequest(host, cookie)
  const meet = async () => {
    slow.writeBack()
    await getJson(useCookie(browserOf(next), cookie), '/inside').expect(401)
  }
  const said = await warningsDuring(async () => {
    await meet()
    await meet()
  })
  expect(said).to.have.length(1)
  expect(said.join()).to.include('`keys`')
  host.system.advance(MINUTE)
  expect(await warningsDuring(meet)).to.deep.equal(said)
})

it('a session that is older than the package goes on, also with a reset link opened in it', async () => {
  const host = makeHost()
  const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
  editSession(host, (stored) => {
    stored.secondStep = { openedLink: { userId: 'bob', reset: 'any' } }
  })
  await getJson(useCookie(browserOf(host), cookie), '/inside').expect(200)
})

it('what another site has in the session stays there for it', async () => {
  const key = newKey()
  const host = makeHost({ options: { keys: [key] } })
  const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
  const before = slowRequest(host, cookie)
  const other = nextOf(host, { options: { keys: [newKey()] } })
  await getJson(useCookie(browserOf(other), cookie), '/inside').expect(401)
  const [stored] = sessionsOf(host)
  expect(stored?.passport?.user).to.equal(undefined)
  expect(stored?.secondStep?.verified?.userId).to.equal('bob')
  before.writeBack()
  await getJson(useCookie(browserOf(host), cookie), '/inside').expect(200)
})
