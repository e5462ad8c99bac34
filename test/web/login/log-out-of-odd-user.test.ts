// The attack: an app begins to describe a user wrongly, because of a column that is gone, say. The user signs out at a
// public computer, gets an error, and leaves. Once the app is right again, the session is there for whoever comes next.

import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { browserOf, enrol, JSON_TYPE } from '../../support/browser.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'
import { recordOf } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const fails = () => {
  throw new Error('no such column')
}

const ODD: Readonly<Record<string, (user: HostUser) => unknown>> = {
  'with `describe` that throws': fails,
  'with a getter that throws': (user) =>
    Object.defineProperty({ ...user }, 'locale', { get: fails }),
  'with a promise': (user) => Promise.resolve(user),
  'with roles that are a text': (user) => ({ ...user, roles: 'user' }),
  'without an id': (user) => ({ ...user, id: undefined }),
}

const tell: RequestHandler = (req, res) =>
  void res.json({
    user: req.user ?? null,
    in: req.isAuthenticated(),
    status: req.secondStep?.status,
  })

/** Ann is signed in, and then the app describes Ann wrongly until `mend()`. */
async function oddVisit(odd: (user: HostUser) => unknown, given: HostOptions = {}) {
  const now = { odd: false }
  const host = makeHost({
    ...given,
    options: {
      describe: (user) => (now.odd && user.id === 'ann' ? odd(user) : user) as HostUser,
    },
    routes: (parts) => {
      const { app, passport, secondStep } = parts
      app.get('/login/who', tell)
      app.get('/login/again', passport.session(), tell)
      app.get(
        '/login/inner',
        async (req, res) => void res.json(await secondStep.requireSignedIn(req)),
      )
      app.post('/login/pay', secondStep.requireFresh(), tell)
      app.get('/outside', tell)
      given.routes?.(parts)
    },
  })
  const browser = browserOf(host)
  await enrol(host, ann, browser)
  now.odd = true
  const mend = () => {
    now.odd = false
  }
  return { host, browser, mend }
}

function heldSession(host: Host) {
  return sessionsOf(host).find(({ secondStep }) => secondStep?.verified?.method === 'totp')
}

for (const [name, odd] of Object.entries(ODD)) {
  describe(`a user whom the app describes wrongly, ${name}`, () => {
    it('can sign out, and the session is over for good', async () => {
      const { host, browser, mend } = await oddVisit(odd)
      const stamp = heldSession(host)?.secondStep?.verified
      const said = await warningsDuring(async () => {
        await browser.post('/logout').set('Accept', JSON_TYPE).expect(200)
      })
      expect(said, 'the host is told why nobody was seen').to.have.length(1)
      mend()
      await browser.get('/inside').expect(401)
      const { ended } = await recordOf(host)
      expect(ended.map(({ id }) => id)).to.include(stamp?.id)
    })

    it('is nobody on the pages of signing in and out', async () => {
      const { browser } = await oddVisit(odd)
      await warningsDuring(async () => {
        for (const path of ['/login/who', '/login/again']) {
          await browser.get(path).expect(200, { user: null, in: false, status: 'none' })
        }
        await browser.get('/login/inner').set('Accept', JSON_TYPE).expect(401)
        await browser.post('/login/pay').set('Accept', JSON_TYPE).expect(401)
      })
    })

    it('stays refused everywhere else, and goes on once the app is right', async () => {
      const { browser, mend } = await oddVisit(odd)
      await warningsDuring(() => browser.get('/login/who').expect(200))
      const { text } = await browser.get('/outside').expect(500)
      expect(text).to.not.include('"in":true')
      mend()
      await browser.get('/outside').expect(200)
    })

    it('can sign out where a middleware in front of the guard has just signed them in', async () => {
      const { host, mend } = await oddVisit(odd, {
        beforeGuard: ({ app }) =>
          void app.use((req, _res, next) => {
            if (req.get('x-remembered') === undefined || req.isAuthenticated()) next()
            else req.logIn(ann, (error) => next(error))
          }),
      })
      const other = browserOf(host)
      await warningsDuring(async () => {
        const who = other.get('/login/who').set('X-Remembered', 'yes')
        await who.expect(200, { user: null, in: false, status: 'none' })
        await other.post('/logout').set('X-Remembered', 'yes').expect(200)
      })
      mend()
      await other.get('/outside').expect(200, { user: null, in: false, status: 'none' })
    })
  })
}
