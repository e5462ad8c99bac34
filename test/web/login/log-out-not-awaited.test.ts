// The mistake: an app calls `req.logout()` and `req.logIn()` one after the other, without waiting for the callback of the
// first. It was told to name its Passport instance, which it had done.

import { expect } from 'chai'
import type { Request } from 'express'
import { memoryStore } from '../../../lib/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'

type Call = (req: Request, done: (error?: unknown) => void) => void

const logOut: Call = (req, done) => req.logout(done)
const logIn: Call = (req, done) => req.logIn(bob, done)

const mistakes: Readonly<Record<string, readonly [told: string, first: Call, second: Call]>> = {
  'a login during a log-out': ['req.logIn() and req.logout()', logOut, logIn],
  'a log-out during a login': ['req.logIn() and req.logout()', logIn, logOut],
  'a log-out during a log-out': ['req.logout() and req.logout()', logOut, logOut],
}

for (const [what, [calls, first, second]] of Object.entries(mistakes)) {
  describe(what, () => {
    let host: Host

    beforeEach(() => {
      host = makeHost({
        // With a slow store, the log-out may be over before the login needs to be refused.
        options: { store: memoryStore() },
        routes: ({ app }) => {
          app.post('/both', (req, res) => {
            let left = 2
            const told: string[] = []
            const called = (error: unknown) => {
              if (error instanceof Error) told.push(error.message)
              left -= 1
              if (left === 0) res.json({ told })
            }
            first(req, called)
            second(req, called)
          })
        },
      })
    })

    for (const before of ['signed in', 'not signed in']) {
      it(`says what to wait for, and signs nobody in (${before} before)`, async () => {
        const browser = browserOf(host)
        if (before === 'signed in') await passFirstStep(browser, ann).expect(302)
        const { body } = await postJson(browser, '/both').expect(200)
        expect(body.told).to.have.length(1)
        expect(body.told[0]).to.include(calls)
        expect(body.told[0]).to.include('wait for the callback').and.not.include('passports')
        await getJson(browser, '/inside').expect(401)
      })
    }
  })
}
