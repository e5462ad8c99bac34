// The mistake: a session store says that it has lost its server. express-session then lets every request go on
// without a session, and Passport takes that for an app that forgot it: a 500, in Express's own words.

import { expect } from 'chai'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, passFirstStep } from '../../support/browser.js'
import { bob, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

/** Somebody is in, and then the store loses its server. */
async function disconnected(options: HostOptions = {}): Promise<{ host: Host; browser: Browser }> {
  const host = makeHost(options)
  host.app.set('env', 'test')
  const browser = browserOf(host)
  await passFirstStep(browser, bob)
  await getJson(browser, '/inside').expect(200)
  host.sessions.emit('disconnect')
  return { host, browser }
}

describe('a session store that is disconnected', () => {
  it('is a 503 on every route, and nobody is in or can sign in', async () => {
    const { browser } = await disconnected()
    for (const path of ['/inside', '/second-step/', '/second-step/challenge']) {
      expectProblem(await getJson(browser, path), 'unavailable', 503)
    }
    const { id, password } = bob
    const login = await postJson(browser, '/login', { username: id, password })
    expectProblem(login, 'unavailable', 503)
    expect(login.headers).to.not.have.property('set-cookie')
  })

  it('is said in the visitor’s language', async () => {
    const { browser } = await disconnected()
    const page = await getPage(browser, '/inside').set('Accept-Language', 'it').expect(503)
    expect(page.text).to.include('<html lang="it"')
    expect(page.headers['retry-after']).to.equal('5')
  })

  it('is a 503 also where no passport.session() stands in front of the guard', async () => {
    const { browser } = await disconnected({
      routes: ({ app, secondStep }) => {
        app.use((error: Error, _req: unknown, _res: unknown, next: (error?: Error) => void) =>
          // A host that goes on without a session, as for an anonymous visitor.
          next(error.message.includes('session') ? undefined : error),
        )
        app.use('/later', secondStep.guard())
      },
    })
    expectProblem(await getJson(browser, '/later'), 'unavailable', 503)
  })

  it('is named in the warning, instead of the session support that Passport misses', async () => {
    const { browser } = await disconnected()
    const said = await warningsDuring(async () => {
      await getJson(browser, '/inside').expect(503)
    })
    expect(said).to.have.length(1)
    expect(said[0]).to.include('the session store').and.not.include('Did you forget')
  })

  it('lets everybody on when it is back, with the session of before', async () => {
    const { host, browser } = await disconnected()
    await getJson(browser, '/inside').expect(503)
    host.sessions.emit('connect')
    await getJson(browser, '/inside').expect(200, { user: 'bob', status: 'none' })
  })

  it('excuses no other app of the process that has forgotten express-session', async () => {
    await disconnected()
    const forgotten = makeHost({
      initialize: (req, _res, next) => {
        Reflect.deleteProperty(req, 'session')
        Reflect.deleteProperty(req, 'sessionStore')
        next()
      },
    })
    forgotten.app.set('env', 'test')
    const { text } = await getJson(browserOf(forgotten), '/inside').expect(500)
    expect(text).to.include('Did you forget')
  })
})
