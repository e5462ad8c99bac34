// The mistake: a host's "remember me" signs in at every request that has no user. Between the two steps
// there is none, so each request would begin a new login and the code would never be looked at. And the
// attack: what is let through for it is used as a first step by a session that was revoked, or as a way
// past a host's own check.

import { expect } from 'chai'
import express, { type Request, type Router } from 'express'
import { Strategy } from 'passport'
import type { PendingLogin } from '../../../lib/domain/pending-login.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostParts,
  makeHost,
} from '../../support/host.js'
import { editSession, sessionsOf } from '../../support/sessions.js'
import { setPolicy, wrongCodeOf } from '../../support/visits.js'

/** Whom the cookie names. Here it is a header, which the agent sends with every request. */
const rememberedIn = (req: Request) => [ann, bob].find(({ id }) => id === req.get('x-remembered'))

/** As passport-remember-me does it. */
class RememberMe extends Strategy {
  override readonly name = 'remember-me'

  override authenticate(req: Request): void {
    const user = rememberedIn(req)
    if (req.isAuthenticated() || user === undefined) this.pass()
    else this.success(user)
  }
}

type Mount = (parts: HostParts) => void

const byStrategy: Mount = ({ app, passport }) => {
  passport.use(new RememberMe())
  app.use(passport.authenticate('remember-me'))
}

const byOwnMiddleware: Mount = ({ app }) => {
  app.use((req, _res, next) => {
    const user = rememberedIn(req)
    if (req.isAuthenticated() || user === undefined) next()
    else req.logIn(user, (error) => next(error))
  })
}

const ways: Readonly<Record<string, HostOptions>> = {
  'a strategy after the guard': { mountFirst: byStrategy },
  'a strategy in front of the guard': { beforeGuard: byStrategy },
  'a middleware of its own after the guard': { mountFirst: byOwnMiddleware },
  'a middleware of its own in front of the guard': { beforeGuard: byOwnMiddleware },
}

function rememberedBrowser(host: Host, id = 'ann'): Browser {
  const browser = browserOf(host)
  browser.set('X-Remembered', id)
  return browser
}

function pendingLogins(host: Host): readonly PendingLogin[] {
  return sessionsOf(host).flatMap(({ secondStep }) => secondStep?.pending ?? [])
}

for (const [way, options] of Object.entries(ways)) {
  describe(`"remember me" by ${way}`, () => {
    it('leads to the challenge, and the code gets the user in', async () => {
      const host = makeHost(options)
      const enrolment = await enrol(host, ann)
      const browser = rememberedBrowser(host)
      const page = await getPage(browser, '/inside').expect(303)
      expect(page.headers.location).to.equal('/second-step/challenge')
      await getPage(browser, '/second-step/challenge').expect(200)
      const { headers } = await postForm(browser, '/second-step/challenge', {
        code: enrolment.code(),
      }).expect(303)
      expect(headers.location).to.be.oneOf(['/', '/inside'])
      await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    })

    it('gets nobody in who gives no code', async () => {
      const host = makeHost(options)
      const enrolment = await enrol(host, ann)
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
      expectProblem(await getJson(browser, '/second-step/'), 'code-required', 401)
      expect((await getJson(browser, '/inside')).body.user ?? null).to.equal(null)
    })

    it('lets a user set up who must', async () => {
      // A set-up in progress belongs to the pending login that began it.
      const host = makeHost(options)
      await setPolicy(host, { mode: 'required' })
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      const { body } = await getJson(browser, '/second-step/setup').expect(200)
      const code = virtualAuthenticator(body.secret).code(host.system.now())
      const done = await postJson(browser, '/second-step/setup', { code }).expect(200)
      expect(done.body.status).to.equal('enrolled')
      await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    })

    it('goes on with one pending login: the same id, expiry and wrong codes', async () => {
      const host = makeHost(options)
      const enrolment = await enrol(host, ann)
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      const [begun] = pendingLogins(host)
      host.system.advance(MINUTE)
      for (let miss = 0; miss < 5; miss += 1) {
        await browser.get('/logo.svg').set('Accept', 'image/svg+xml')
        await getPage(browser, '/second-step/challenge').expect(200)
        await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
        const [{ id, at } = { id: null, at: null }, ...others] = pendingLogins(host)
        expect([id, at, others]).to.deep.equal([begun?.id, begun?.at, []])
      }
      // Used up: only another first step begins another one, and the user's own wait is not over.
      expect((await giveCode(browser, enrolment.code())).body.status).to.not.equal('signed-in')
      expect((await getJson(browser, '/inside')).body.user ?? null).to.equal(null)
    })

    it('can be cancelled', async () => {
      const host = makeHost(options)
      await enrol(host, ann)
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      await postJson(browser, '/second-step/cancel').expect(200, { status: 'cancelled' })
      expect(pendingLogins(host)).to.deep.equal([])
    })

    it('does not go on with the pending login of somebody else', async () => {
      const host = makeHost(options)
      await enrol(host, ann)
      const ofBob = await enrol(host, bob)
      const browser = browserOf(host)
      await passFirstStep(browser, bob).expect(200)
      browser.set('X-Remembered', 'ann')
      await giveCode(browser, ofBob.code())
      expect((await getJson(browser, '/inside')).body.user ?? null).to.equal(null)
      expect(pendingLogins(host).map(({ userId }) => userId)).to.deep.equal(['ann'])
    })

    it('begins a new one if the user gives the password again', async () => {
      const host = makeHost(options)
      const enrolment = await enrol(host, ann)
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      host.system.advance(9 * MINUTE)
      await passFirstStep(browser, ann).expect(200)
      host.system.advance(2 * MINUTE)
      await giveCode(browser, enrolment.code()).expect(200)
    })

    it('signs a user in who has turned the second step off again', async () => {
      const host = makeHost(options)
      const enrolment = await enrol(host, ann)
      const first = rememberedBrowser(host)
      await getPage(first, '/inside').expect(303)
      await giveCode(first, enrolment.code()).expect(200)
      host.system.advance(30_000)
      await postJson(first, '/second-step/disable', { code: enrolment.code() }).expect(200)
      const again = rememberedBrowser(host)
      await getJson(again, '/inside').expect(200, { user: 'ann', status: 'none' })
      await getJson(again, '/inside').expect(200, { user: 'ann', status: 'none' })
    })
  })
}

// The mistake: the rest of that router was left out, and the challenge was not found.
for (const [way, inRouter] of Object.entries({
  'a strategy': ({ passport }: HostParts, router: Router) => {
    passport.use(new RememberMe())
    router.use(passport.authenticate('remember-me'))
  },
  'a middleware of its own': (_parts: HostParts, router: Router) => {
    router.use((req, _res, next) => {
      const user = rememberedIn(req)
      if (req.isAuthenticated() || user === undefined) next()
      else setImmediate(() => req.logIn(user, (error) => next(error)))
    })
  },
})) {
  for (const path of ['/', '/members']) {
    it(`"remember me" by ${way} goes on in the router at ${path} that has the package’s router in it`, async () => {
      const base = path === '/' ? '' : path
      const paths = { secondStep: `${base}/own-step` }
      const host = makeHost({
        options: { paths },
        guard: { open: ['/login', '/logout', `${base}/help`] },
        mountFirst: (parts) => {
          const router = express.Router()
          inRouter(parts, router)
          router.use('/own-step', parts.secondStep.router())
          router.get('/help', (req, res) => res.json({ user: req.user ?? null }))
          parts.app.use(path, router)
        },
      })
      const owner = browserOf(host)
      await passFirstStep(owner, ann)
      const { body } = await getJson(owner, `${base}/own-step/setup`).expect(200)
      const code = () => virtualAuthenticator(body.secret).code(host.system.now())
      await postJson(owner, `${base}/own-step/setup`, { code: code() }).expect(200)
      host.system.advance(30_000)
      const browser = rememberedBrowser(host)
      await getJson(browser, `${base}/private`)
      await getPage(browser, `${base}/own-step/challenge`).expect(200)
      await getPage(browser, `${base}/help`).expect(200, { user: null })
      await postJson(browser, `${base}/own-step/challenge`, { code: code() }).expect(200)
      await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    })
  }
}

describe('"remember me" on a folder', () => {
  const onShop: Mount = ({ app, passport }) => {
    passport.use(new RememberMe())
    app.use('/shop', passport.authenticate('remember-me'))
  }

  it('leaves a pending login its time and its wrong codes, also at the root of the folder', async () => {
    const host = makeHost({ mountFirst: onShop })
    const enrolment = await enrol(host, ann)
    const browser = rememberedBrowser(host)
    await getJson(browser, '/shop')
    const [first] = pendingLogins(host)
    expect(first?.userId).to.equal('ann')
    await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
    for (const path of ['/shop', '/shop/', '/shop/cart']) {
      const { body } = await getJson(browser, path)
      expect([path, body.status ?? body.code]).to.deep.equal([path, 'code-required'])
    }
    expect(pendingLogins(host)).to.deep.equal([first])
    await giveCode(browser, enrolment.code()).expect(200)
  })
})

for (const [way, options] of Object.entries(ways)) {
  describe(`"remember me" by ${way}, with a challenge page of the host’s own`, () => {
    const ownChallenge: HostOptions = {
      ...options,
      options: { onPending: (_req, res) => res.redirect(303, '/my-code') },
      guard: { open: ['/login', '/logout', '/my-code'] },
      routes: ({ app, passport, secondStep }) => {
        passport.use(secondStep.strategy())
        app.get('/my-code', (req, res) => res.json({ user: req.user ?? null }))
        app.post('/my-code', passport.authenticate('second-step', { successRedirect: '/inside' }))
      },
    }

    it('shows that page to nobody’s name, and its code gets the user in', async () => {
      const host = makeHost(ownChallenge)
      const enrolment = await enrol(host, ann)
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      await getPage(browser, '/my-code').expect(200, { user: null })
      const [begun, ...others] = pendingLogins(host)
      expect(others).to.deep.equal([])
      await getPage(browser, '/my-code').expect(200, { user: null })
      expect(pendingLogins(host)).to.deep.equal([begun])
      await postForm(browser, '/my-code', { code: enrolment.code() }).expect(302)
      await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
    })

    it('lets a pending visitor log out', async () => {
      const host = makeHost(ownChallenge)
      await enrol(host, ann)
      const browser = rememberedBrowser(host)
      await getPage(browser, '/inside').expect(303)
      await postJson(browser, '/logout').expect(200, { status: 'signed-out' })
      expect(pendingLogins(host)).to.deep.equal([])
    })
  })
}

/** Signs in whom the header of a single sign-on names, also who is signed in. */
class SignOnHeader extends Strategy {
  override readonly name = 'header'

  override authenticate(req: Request): void {
    const user = rememberedIn(req)
    if (user === undefined) this.pass()
    else this.success(user)
  }
}

const atEveryRequest: Readonly<Record<string, Mount>> = {
  'a strategy': ({ app, passport }) => {
    passport.use(new SignOnHeader())
    app.use(passport.authenticate('header'))
  },
  'req.logIn()': ({ app }) => {
    app.use((req, _res, next) => {
      const user = rememberedIn(req)
      if (user === undefined) next()
      else req.logIn(user, (error) => next(error))
    })
  },
  'req.logIn(), twice': ({ app }) => {
    app.use((req, _res, next) => {
      const user = rememberedIn(req)
      if (user === undefined) next()
      else req.logIn(user, () => req.logIn(user, (error) => next(error)))
    })
  },
}

for (const [how, mount] of Object.entries(atEveryRequest)) {
  for (const where of ['beforeGuard', 'mountFirst'] as const) {
    describe(`a header that signs in at every request by ${how}, mounted as ${where}`, () => {
      it('keeps who has given the code signed in', async () => {
        const host = makeHost({ [where]: mount })
        const enrolment = await enrol(host, ann)
        const browser = rememberedBrowser(host)
        await getJson(browser, '/inside').expect(/code-required|null/)
        await giveCode(browser, enrolment.code()).expect(200)
        for (let request = 0; request < 3; request += 1) {
          await getJson(browser, '/inside').expect(200, { user: 'ann', status: 'verified' })
        }
      })

      it('keeps who has no second step signed in, and is a first step again after endSessions()', async () => {
        const host = makeHost({ [where]: mount })
        await host.secondStep.endSessions('ann')
        const browser = rememberedBrowser(host)
        for (let request = 0; request < 3; request += 1) {
          await getJson(browser, '/inside').expect(200, { user: 'ann', status: 'none' })
        }
        await host.secondStep.endSessions('ann')
        await getJson(browser, '/inside')
        await getJson(browser, '/inside').expect(200, { user: 'ann', status: 'none' })
      })

      // Each login has a new session, which knew nothing but the stamp: the code led to the home page.
      it('leads on from the page for a fresh code', async () => {
        const routes: Mount = ({ app, secondStep }) =>
          void app.get('/payout', secondStep.requireFresh(), (_req, res) => res.send('the form'))
        const host = makeHost({ [where]: mount, routes })
        const enrolment = await enrol(host, ann)
        const browser = rememberedBrowser(host)
        await getPage(browser, '/inside').expect(303)
        await giveCode(browser, enrolment.code()).expect(200)
        host.system.advance(6 * MINUTE)
        await getPage(browser, '/payout?to=bob').expect(303, /fresh/)
        await getPage(browser, '/second-step/fresh').expect(200)
        const given = await postForm(browser, '/second-step/fresh', { code: enrolment.code() })
        expect(given.headers.location).to.equal('/payout?to=bob')
      })

      it('gives nobody the stamp of somebody else', async () => {
        const host = makeHost({ [where]: mount })
        const enrolment = await enrol(host, ann)
        await enrol(host, bob)
        const browser = rememberedBrowser(host)
        await getJson(browser, '/inside').expect(/code-required|null/)
        await giveCode(browser, enrolment.code()).expect(200)
        browser.set('X-Remembered', 'bob')
        expect((await getJson(browser, '/inside')).body.user ?? null).to.equal(null)
      })

      it('keeps nobody in whose session was ended', async () => {
        const host = makeHost({ [where]: mount })
        const enrolment = await enrol(host, ann)
        const browser = rememberedBrowser(host)
        await getJson(browser, '/inside')
        await giveCode(browser, enrolment.code()).expect(200)
        await host.secondStep.endSessions('ann')
        for (let request = 0; request < 3; request += 1) {
          expect((await getJson(browser, '/inside')).body.user ?? null).to.equal(null)
        }
      })
    })
  }
}

/** A session of before the set-up, as a thief has it: the user is in it, and no stamp. */
async function revokedSession(host: Host): Promise<Browser> {
  const thief = browserOf(host)
  await passFirstStep(thief, ann)
  editSession(host, (session) => {
    delete session.secondStep
  })
  await enrol(host, ann)
  return thief
}

describe('a revoked session', () => {
  it('is no first step if another strategy checked the request', async () => {
    // An API key, an account beside the user's: Passport leaves `authInfo` for those too.
    const host = makeHost({
      beforeGuard: ({ app, passport }) => {
        passport.use('key', new RememberMe())
        const options = { session: false, assignProperty: 'client' }
        app.use(passport.authenticate('key', options))
        app.use((req, _res, next) => {
          req.authInfo = {}
          next()
        })
      },
    })
    const thief = await revokedSession(host)
    await getJson(thief, '/inside').expect(401, { user: null })
    expectProblem(await getJson(thief, '/second-step/challenge'), 'not-signed-in', 401)
    expect(pendingLogins(host)).to.deep.equal([])
  })

  it('is no first step if the host logs its user in again at every request', async () => {
    const host = makeHost({
      beforeGuard: ({ app }) => {
        app.use((req, _res, next) => {
          if (req.user === undefined || req.get('x-again') === undefined) next()
          else req.logIn(req.user, next)
        })
      },
    })
    const thief = await revokedSession(host)
    thief.set('X-Again', 'yes')
    await getJson(thief, '/inside').expect(401, { user: null })
    expectProblem(await getJson(thief, '/second-step/challenge'), 'not-signed-in', 401)
    expect(pendingLogins(host)).to.deep.equal([])
  })
})

describe('a login that the host demands at every request', () => {
  it('lets no pending visitor through behind it, where it lies on an open path itself', async () => {
    const host = makeHost({
      guard: { open: ['/login', '/auth'] },
      mountFirst: ({ app, passport }) => {
        passport.use('provider', new RememberMe())
        app.use('/auth/back', passport.authenticate('provider'), (_req, res) => res.json({ in: 1 }))
      },
    })
    await enrol(host, ann)
    const browser = rememberedBrowser(host)
    for (const path of ['/auth/back', '/auth/back', '/auth/back/there']) {
      expect((await getJson(browser, path)).body.status, path).to.equal('code-required')
    }
  })

  it('lets no pending visitor through to the host’s routes', async () => {
    // Behind passport.authenticate('basic') a route need not look at req.user: who has none is refused.
    const host = makeHost({
      mountFirst: ({ app, passport }) => {
        passport.use('basic', new RememberMe())
        app.get('/report', passport.authenticate('basic'), (_req, res) => res.json({ secret: 1 }))
        app.use('/reports', passport.authenticate('basic'), (_req, res) => res.json({ secret: 1 }))
      },
    })
    await enrol(host, ann)
    const browser = rememberedBrowser(host)
    for (let request = 0; request < 2; request += 1) {
      for (const path of ['/report', '/reports', '/reports/all']) {
        const { body } = await getJson(browser, path)
        expect(body, path).to.deep.equal({
          status: 'code-required',
          next: '/second-step/challenge',
        })
      }
    }
  })
})
