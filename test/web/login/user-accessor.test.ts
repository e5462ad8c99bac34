// The attack: the app has an accessor for the user, which a deletion on the request leaves alone. Whoever has
// the password alone, or a session that is over, stays on the request with it.

import { expect } from 'chai'
import type { Request } from 'express'
import { getJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'

/** Keeps what Passport puts there. */
function giveAccessor(target: object): void {
  const kept = new WeakMap<object, unknown>()
  Object.defineProperty(target, 'user', {
    configurable: true,
    get(this: object) {
      return kept.get(this)
    },
    set(this: object, user: unknown) {
      kept.set(this, user)
    },
  })
}

const routes: HostOptions['routes'] = ({ app }) => {
  app.get('/me', (req, res) => res.json({ user: req.user ?? null, in: req.isAuthenticated() }))
}
const NOBODY = { user: null, in: false }

async function expectNobody(host: Host, browser = browserOf(host)): Promise<void> {
  for (let time = 0; time < 2; time += 1) {
    expect((await getJson(browser, '/me')).body).to.deep.equal(NOBODY)
  }
}

describe('an app whose requests have an accessor for the user', () => {
  it('has nobody on the request in a session that is over', async () => {
    const host = makeHost({ routes })
    const { code } = await enrol(host, ann)
    giveAccessor(host.app.request)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await giveCode(browser, code()).expect(200)
    expect((await getJson(browser, '/me')).body.in).to.equal(true)
    await host.secondStep.passwordChanged('ann')
    await expectNobody(host, browser)
  })

  it('has nobody on the request whom “remember me” has signed in with the password alone', async () => {
    let remembers = false
    const host = makeHost({
      routes,
      beforeGuard: ({ app }) => {
        app.use((req, _res, next) => (remembers && !req.user ? req.logIn(ann, next) : next()))
      },
    })
    await enrol(host, ann)
    giveAccessor(host.app.request)
    remembers = true
    await expectNobody(host)
  })

  it('is refused where the user cannot be taken away', async () => {
    let reached = 0
    const host = makeHost({
      beforeGuard: ({ app }) => {
        app.use((req: Request, _res, next) => {
          Object.defineProperty(req, 'user', { configurable: false, get: () => ann, set: () => {} })
          next()
        })
      },
      routes: ({ app }) => {
        app.get('/me', (_req, res) => {
          reached += 1
          res.json({})
        })
      },
    })
    host.app.set('env', 'test')
    await host.secondStep.endSessions('ann')
    const answer = await getJson(browserOf(host), '/me')
    expect(answer.status).to.equal(500)
    expect(reached).to.equal(0)
  })
})
