// The attack: somebody with a stolen session sends the header of a request to a route that calls
// `req.logIn(req.user)`, and holds back the body. The owner ends everything; then the body comes, and the
// route would make a new session, or a new pending login, of the one that is over.

import { expect } from 'chai'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, type Host, type HostParts, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, useCookie } from '../../support/sessions.js'

function mountProfile({ app }: HostParts): void {
  app.post('/profile', (req, res, next) => {
    const { user } = req
    if (user === undefined) return res.sendStatus(401)
    return req.logIn(user, { session: true, keepSessionInfo: true }, (error) =>
      error ? next(error) : res.json({}),
    )
  })
}

const ENDINGS: Readonly<Record<string, (host: Host, cookie: string) => PromiseLike<unknown>>> = {
  'a log-out': (host, cookie) => useCookie(browserOf(host), cookie).post('/logout').expect(200),
  'passwordChanged()': ({ secondStep }) => secondStep.passwordChanged('ann'),
  'endSessions()': ({ secondStep }) => secondStep.endSessions('ann'),
}

/** Ann's session. */
async function sessionOf(host: Host, isEnrolled: boolean): Promise<string> {
  const enrolment = isEnrolled ? await enrol(host, ann) : null
  const browser = browserOf(host)
  const first = await passFirstStep(browser, ann)
  if (enrolment === null) return cookieOf(first)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  host.system.advance(30 * SECOND)
  return cookie
}

for (const isEnrolled of [true, false]) {
  describe(`req.logIn(req.user) by a parked request, ${isEnrolled ? 'with' : 'without'} a second step`, () => {
    for (const [name, end] of Object.entries(ENDINGS)) {
      it(`signs nobody in after ${name}`, async () => {
        const host = makeHost({ routes: mountProfile })
        const cookie = await sessionOf(host, isEnrolled)
        const parked = await park(host, '/profile', { cookie, like: {} })
        await end(host, cookie)
        const answer = await parked.finish({})
        expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
        const after = useCookie(browserOf(host), answer.cookie ?? cookie)
        expect((await getJson(after, '/inside')).status).to.equal(401)
        const setUp = await getJson(after, '/second-step/setup')
        expect([setUp.status, setUp.body.code]).to.deep.equal([401, 'not-signed-in'])
      })
    }

    it('is a first step like any other where the password is given', async () => {
      const host = makeHost()
      const cookie = await sessionOf(host, isEnrolled)
      const login = { username: ann.id, password: ann.password }
      const parked = await park(host, '/login', { cookie, like: login })
      await host.secondStep.endSessions('ann')
      const answer = await parked.finish(login)
      const after = useCookie(browserOf(host), answer.cookie ?? '')
      await getJson(after, '/inside').expect(isEnrolled ? 401 : 200)
      await getJson(after, '/second-step/challenge').expect(isEnrolled ? 200 : 409)
    })

    it('goes on where nothing has ended', async () => {
      const host = makeHost({ routes: mountProfile })
      const browser = useCookie(browserOf(host), await sessionOf(host, isEnrolled))
      await postJson(browser, '/profile', {}).expect(200)
      await getJson(browser, '/inside').expect(200)
    })
  })
}
