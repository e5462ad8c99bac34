// The mistake: in front of the guard, an app signs in by a header of a single sign-on, and then puts a fuller user, out
// of its database, in place of the one of the login. Nobody with a second step ever got in: their login was taken for
// a session older than their set-up.

import { expect } from 'chai'
import type { Request } from 'express'
import { Strategy } from 'passport'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'

class HeaderStrategy extends Strategy {
  override readonly name = 'header'

  override authenticate(req: Request): void {
    const user = [ann, bob].find(({ id }) => id === req.get('x-remote-user'))
    if (user === undefined) this.pass()
    else this.success(user)
  }
}

function hostWithFullerUsers(always: boolean): Host {
  return makeHost({
    beforeGuard: ({ app, passport }) => {
      passport.use(new HeaderStrategy())
      const byHeader = passport.authenticate('header')
      app.use((req, res, next) => (req.user && !always ? next() : byHeader(req, res, next)))
      app.use((req, _res, next) => {
        if (req.user !== undefined) Reflect.set(req, 'user', { ...req.user, team: 'support' })
        next()
      })
    },
    routes: ({ app }) => {
      app.get('/team', (req, res) => res.json({ team: Reflect.get(Object(req.user), 'team') }))
    },
  })
}

const signedOn = (host: Host, user: HostUser): Browser =>
  browserOf(host).set('x-remote-user', user.id)

for (const always of [true, false]) {
  describe(`a fuller user in front of the guard, ${always ? 'at every request' : 'after a login'}`, () => {
    it('is asked for the code, gets in, and stays in', async () => {
      const host = hostWithFullerUsers(always)
      const enrolment = await enrol(host, ann)
      const browser = signedOn(host, ann)
      await getJson(browser, '/inside').expect(401, { user: null })
      await giveCode(browser, enrolment.code()).expect(200)
      for (const _ of ['first', 'again']) {
        await getJson(browser, '/inside').expect(200, { user: 'ann', status: 'verified' })
      }
      await getJson(browser, '/team').expect(200, { team: 'support' })
      host.system.advance(30_000)
      await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
    })

    it('gets a stamp where no code is needed, and may set up a second step', async () => {
      const host = hostWithFullerUsers(always)
      const browser = signedOn(host, bob)
      await getJson(browser, '/inside').expect(200)
      expect(sessionsOf(host)[0]?.secondStep?.verified?.userId).to.equal('bob')
      await getJson(browser, '/second-step/setup').expect(200)
    })
  })
}
