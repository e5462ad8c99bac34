// The mistake: an app has a session strategy of its own, by Passport's name. Registered it was met as a session; passed
// as an object, the users of sessions older than the package were met as those of a token, who can't set up a second
// step.

import type { Request, RequestHandler } from 'express'
import { Passport, type Strategy } from 'passport'
import { getJson } from '../../support/answers.js'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { ann, bob, makeHost } from '../../support/host.js'
import { editSession } from '../../support/sessions.js'

type Instance = InstanceType<typeof Passport>

/** With the actions that Passport gives it. */
type AtWork = InstanceType<typeof Strategy>

class OwnSession {
  readonly name = 'session'
  readonly _key = 'passport'

  authenticate(this: AtWork, req: Request): void {
    const { passport } = req.session as { passport?: { user?: unknown } }
    const found = [ann, bob].find(({ id }) => id === passport?.user)
    if (found !== undefined) req.user = found
    this.pass()
  }
}

const own = () => new OwnSession() as unknown as Strategy

const mounts: Readonly<Record<string, (passport: Instance) => string | Strategy>> = {
  registered: (passport) => {
    passport.use(own())
    return 'session'
  },
  'passed as an object': own,
}

for (const [how, mount] of Object.entries(mounts)) {
  describe(`an app's own session strategy, ${how}`, () => {
    it('brings its users in by their session, also by one older than the package', async () => {
      const passport = new Passport()
      passport.session = () => passport.authenticate(mount(passport) as string) as RequestHandler
      const host = makeHost({ passport })
      const browser = browserOf(host)
      await passFirstStep(browser, ann).expect(302)
      editSession(host, (session) => {
        delete session.secondStep
      })
      await getJson(browser, '/second-step/setup').expect(200)
    })
  })
}
