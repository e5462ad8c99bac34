// The attack: in front of the guard, an app signs a user in by a header of a single sign-on, and then signs in a fuller
// copy of them. The session got no stamp, so a request that was slow enough to write it back after the log-out brought
// it back to life. Users with a second step never got in.

import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { cookieOf, slowRequest, useCookie } from '../../support/sessions.js'

function hostWithTwoLogins(second: (user: HostUser) => HostUser): Host {
  return makeHost({
    beforeGuard: ({ app }) => {
      app.use((req, _res, next) => {
        const user = [ann, bob].find(({ id }) => id === req.get('x-remote-user'))
        if (user === undefined || req.user) return next()
        req.logIn(user, (error) => (error ? next(error) : req.logIn(second(user), next)))
      })
    },
  })
}

const signedOn = (host: Host, user: HostUser): Browser =>
  browserOf(host).set('x-remote-user', user.id)

const copyOf = (user: HostUser): HostUser => ({ ...user })

describe('a copy of the user who is logged in again in front of the guard', () => {
  it('does not bring a session back that is written back after the log-out', async () => {
    const host = hostWithTwoLogins(copyOf)
    const browser = signedOn(host, bob)
    const cookie = cookieOf(await getJson(browser, '/inside').expect(200))
    const slow = slowRequest(host, cookie)
    await postJson(browser, '/logout', {}).expect(200)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })

  it('is asked for the code, and gets in', async () => {
    const host = hostWithTwoLogins(copyOf)
    const enrolment = await enrol(host, ann)
    const browser = signedOn(host, ann)
    await getJson(browser, '/inside').expect(401, { user: null })
    await giveCode(browser, enrolment.code()).expect(200)
    await getJson(browser, '/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('does not let a second user in by the first step of the first', async () => {
    const host = hostWithTwoLogins(() => ann)
    await enrol(host, ann)
    await getJson(signedOn(host, bob), '/inside').expect(401, { user: null })
  })
})
