import { expect } from 'chai'
import { browserOf, enrol, giveCode, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, type HostOptions, makeHost } from '../../support/host.js'
import { cookieOf, sessionsOf, useCookie } from '../../support/sessions.js'

async function signedIn(options: HostOptions = {}) {
  const host = makeHost(options)
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  return { host, browser, enrolment, cookie }
}

/** Lets a request read its session, waits for what `meanwhile` does, and has it saved. */
function slowRoute(meanwhile: () => Promise<void>): HostOptions['routes'] {
  return ({ app }) => {
    app.get('/slow', async (req, res) => {
      await meanwhile()
      Reflect.set(req.session, 'seen', true)
      res.json({})
    })
  }
}

describe('log-out', () => {
  it('ends the session', async () => {
    const { browser } = await signedIn()
    await browser.post('/logout').expect(200)
    await browser.get('/inside').expect(401, { user: null })
  })

  it('takes our keys along under keepSessionInfo, and leaves the host its own', async () => {
    const { host, browser } = await signedIn({
      routes: ({ app }) => {
        app.post('/logout/keep', (req, res, next) => {
          Reflect.set(req.session, 'basket', ['book'])
          req.logOut({ keepSessionInfo: true }, (error) => (error ? next(error) : res.json({})))
        })
      },
    })
    await browser.post('/logout/keep').expect(200)
    const kept = sessionsOf(host).find((session) => 'basket' in session)
    expect(kept).to.not.have.property('secondStep')
    expect(kept?.passport?.user).to.equal(undefined)
    await browser.get('/inside').expect(401, { user: null })
  })

  it('ends a pending login', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await browser.post('/logout').expect(200)
    const answer = await giveCode(browser, enrolment.code()).expect(401)
    expect(answer.body.code).to.equal('not-signed-in')
  })

  it('is final even when a slow request writes the destroyed session back', async () => {
    // A slow request holds the session in memory, the user signs out, the request ends and saves.
    const meanwhile = { run: async () => {} }
    const { host, cookie } = await signedIn({ routes: slowRoute(() => meanwhile.run()) })
    const [slow, other] = [browserOf(host), browserOf(host)].map((tab) => useCookie(tab, cookie))
    if (slow === undefined || other === undefined) throw new Error('two tabs are needed')
    meanwhile.run = async () => {
      await other.post('/logout').expect(200)
    }
    await slow.get('/slow').expect(200)
    const back = sessionsOf(host).find((session) => 'seen' in session)
    expect(back?.passport?.user, 'it was written back').to.equal('ann')
    await useCookie(browserOf(host), cookie).get('/inside').expect(401, { user: null })
  })

  it('answers 503 where the record cannot be written, and is signed out all the same', async () => {
    const { host, browser } = await signedIn()
    const write = host.store.write
    host.store.write = () => Promise.reject(new Error('gone'))
    await browser.post('/logout').set('Accept', JSON_TYPE).expect(503)
    host.store.write = write
    await browser.get('/inside').expect(401, { user: null })
  })
})
