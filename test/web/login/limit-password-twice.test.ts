// The mistake: an app has limitPassword() on a path and on the route below it. Each right login used up a place, so that
// an owner was refused after ten, and an office behind one address after a hundred.
// The attack: the first of the two counts what the visitor has typed into a field of no account, and the second passes
// the account itself uncounted.

import { expect } from 'chai'
import { browserOf, JSON_TYPE } from '../../support/browser.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

function twiceLimited(): Host {
  return makeHost({
    routes: ({ app, passport, secondStep }) => {
      app.use('/limited', secondStep.limitPassword())
      const first = secondStep.limitPassword({ account: (req) => req.body.shop })
      app.use('/limited-by-shop', first)
      const login = passport.authenticate('local', { successRedirect: '/inside' })
      for (const path of ['/limited', '/limited-by-shop']) {
        app.post(path, secondStep.limitPassword(), login)
      }
    },
  })
}

function logIn(host: Host, body: object, path = '/limited') {
  const given = { username: 'ann', password: ann.password, ...body }
  return browserOf(host).post(path).set('Accept', JSON_TYPE).send(given)
}

const wrong = { password: 'guessed' }

describe('limitPassword() twice on one request', () => {
  it('charges no right login, and a wrong one once', async () => {
    const host = twiceLimited()
    for (let time = 0; time < 12; time += 1) await logIn(host, {}).expect(302)
    for (let time = 0; time < 10; time += 1) await logIn(host, wrong).expect(401)
    await logIn(host, {}).expect(429)
  })

  it('charges no right login whose name only the second finds', async () => {
    const host = twiceLimited()
    for (let time = 0; time < 101; time += 1) await logIn(host, {}, '/limited-by-shop').expect(302)
  })

  it('counts the names that only the second finds', async () => {
    const host = twiceLimited()
    const guess = (time: number) =>
      logIn(host, { ...wrong, shop: `shop-${time}` }, '/limited-by-shop')
    for (let time = 0; time < 10; time += 1) await guess(time).expect(401)
    await guess(10).expect(429)
  })

  it('takes one place of the hundred of an address, also under two names', async () => {
    const host = twiceLimited()
    const guess = (time: number) => {
      const names = { username: `user-${time}`, shop: `shop-${time}` }
      return logIn(host, { ...wrong, ...names }, '/limited-by-shop')
    }
    for (let time = 0; time < 100; time += 1) await guess(time).expect(401)
    await guess(100).expect(429)
  })

  it('knows a user by either name, so that nobody is warned of a missing one', async () => {
    const host = twiceLimited()
    const said = await warningsDuring(async () => {
      await logIn(host, { shop: 'shop' }, '/limited-by-shop').expect(302)
    })
    expect(said.join()).to.not.include('limitPassword')
  })
})
