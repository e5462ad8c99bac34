// The attack: a request is held back while its user signs out elsewhere; when its body comes, the
// host's session store writes the session back. It must be dead, also where no second step was passed:
// whoever has the cookie could set one up with a phone of their own.

import express from 'express'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { bob, type Host, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, useCookie } from '../../support/sessions.js'

/** The cookie of Bob's session, which was logged out and then written back by a parked request. */
async function writtenBack(host: Host): Promise<string> {
  const cookie = cookieOf(await passFirstStep(browserOf(host), bob))
  const parked = await park(host, '/profile', { cookie, like: { a: 1 } })
  await useCookie(browserOf(host), cookie).post('/logout').expect(200)
  await parked.finish({ a: 1 })
  return cookie
}

const hostWithProfile = () =>
  makeHost({
    mount: ({ app }) =>
      void app.post('/profile', express.json(), (req, res) => {
        Reflect.set(req.session, 'touched', true)
        res.json({})
      }),
  })

describe('a session that was logged out and is written back', () => {
  it('is dead, also of a user without a second step', async () => {
    const host = hostWithProfile()
    const cookie = await writtenBack(host)
    await useCookie(browserOf(host), cookie).get('/inside').expect(401)
  })
})
