// The attack: a login route takes credentials in two ways. An attacker sends a guess at another user's
// password and, in the same request, their own right credentials. The login succeeds. If that gave the
// places back, they could guess for ever.

import { expect } from 'chai'
import { Strategy as LocalStrategy } from 'passport-local'
import type { LimitPasswordOptions, SecondStepOptions } from '../../../lib/index.js'
import { browserOf, JSON_TYPE } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

type User = HostUser & { readonly username?: string; readonly login?: string }

interface Given {
  readonly users?: readonly User[]
  readonly limit?: LimitPasswordOptions
  readonly options?: Partial<SecondStepOptions<HostUser>>
}

/** Its login takes a name and a password in the body, or an e-mail and a PIN beside them. */
function hostWith({ users = [ann, bob], limit = {}, options = {} }: Given = {}): Host {
  return makeHost({
    users,
    options,
    routes: ({ app, passport, secondStep }) => {
      const nameOf = (user: User) => user.username ?? user.login ?? user.email ?? user.id
      const local = new LocalStrategy((name, password, done) => {
        const found = users.find((user) => nameOf(user).toLowerCase() === name.trim().toLowerCase())
        done(null, found?.password === password ? found : false)
      })
      const fields = { usernameField: 'email', passwordField: 'pin' }
      const byPin = new LocalStrategy(fields, (id, pin, done) => {
        done(null, users.find((user) => user.id === id && user.password === pin) ?? false)
      })
      passport.use('by-name', local).use('by-pin', byPin)
      const two = passport.authenticate(['by-name', 'by-pin'], { successRedirect: '/inside' })
      app.post('/limited', secondStep.limitPassword(limit), two)
      const account = { account: (req: { body: { username?: string } }) => req.body.username }
      app.post('/by-account', secondStep.limitPassword(account), two)
      const byMail = { account: (req: { body: { email?: string } }) => req.body.email }
      const [first, then] = [secondStep.limitPassword(byMail), secondStep.limitPassword(account)]
      app.post('/by-two-limits', first, then, two)
    },
  })
}

const post = (host: Host, body: object, path = '/limited') =>
  browserOf(host).post(path).set('Accept', JSON_TYPE).send(body)

const own = { email: 'ann', pin: ann.password }
const guessAt = (username: string) => ({ username, password: 'guessed', ...own })

describe('guesses at somebody else', () => {
  for (const path of ['/limited', '/by-account', '/by-two-limits']) {
    it(`are not paid for by credentials of one’s own: ${path}`, async () => {
      const host = hostWith()
      for (let time = 0; time < 10; time += 1) {
        await post(host, guessAt('bob'), path).expect(302)
      }
      await post(host, guessAt('bob'), path).expect(429)
      await post(host, { username: 'bob', password: bob.password }, path).expect(429)
    })

    it(`are not paid for, one at each of many accounts: ${path}`, async () => {
      const host = hostWith()
      for (let time = 0; time < 100; time += 1) {
        await post(host, guessAt(`user-${time}`), path).expect(302)
      }
      await post(host, { username: 'bob', password: bob.password }, path).expect(429)
    })
  }

  it('are not paid for by a display name that is somebody else’s', async () => {
    const named: HostUser = { ...ann, name: 'bob' }
    const host = hostWith({ users: [named, bob] })
    for (let time = 0; time < 10; time += 1) {
      await post(host, guessAt('bob'), '/by-account').expect(302)
    }
    await post(host, guessAt('bob'), '/by-account').expect(429)
  })

  const tenGuessesAtBob = async (host: Host, guess: object, path?: string) => {
    for (let time = 0; time < 10; time += 1) await post(host, guess, path).expect(302)
    await post(host, guess, path).expect(429)
  }

  for (const path of ['/limited', '/by-account']) {
    it(`are not paid for by a name that looks the same: ${path}`, async () => {
      for (const lookAlike of ['BOB', 'b\u00adob', 'bób', 'bob ']) {
        const users = [{ ...ann, id: lookAlike }, bob]
        const guess = { username: 'bob', password: 'guessed', email: lookAlike, pin: ann.password }
        await tenGuessesAtBob(hostWith({ users }), guess, path)
      }
    })

    it(`are not paid for by an e-mail that is somebody else’s name: ${path}`, async () => {
      // Whoever may write any e-mail into their profile writes there what the other signs in with.
      const users = (bobs: string): readonly User[] => [
        { ...ann, id: '41', username: 'ann', email: bobs },
        { ...bob, id: '42', username: bobs },
      ]
      for (const username of ['bob', 'bob@acme.example']) {
        const guess = { username, password: 'guessed', email: '41', pin: ann.password }
        await tenGuessesAtBob(hostWith({ users: users(username) }), guess, path)
      }
      for (const id of ['bob', 'bob@acme.example']) {
        const byId = [
          { ...ann, id: 'ann@acme.example', email: id },
          { ...bob, id },
        ]
        const guess = { username: id, password: 'guessed', email: byId[0]?.id, pin: ann.password }
        await tenGuessesAtBob(hostWith({ users: byId }), guess, path)
      }
    })

    it(`are not paid for by an id that is somebody else’s name: ${path}`, async () => {
      const users = [
        { ...ann, id: '41', username: 'ann' },
        { ...bob, id: '42', username: '41' },
      ]
      const guess = { username: '41', password: 'guessed', email: '41', pin: ann.password }
      await tenGuessesAtBob(hostWith({ users }), guess, path)
    })
  }

  it('are not paid for in a login whose account nobody has counted', async () => {
    const host = hostWith({ limit: { account: () => null } })
    for (let time = 0; time < 100; time += 1) await post(host, guessAt('bob')).expect(302)
    await post(host, guessAt('bob')).expect(429)
  })
})

describe('one’s own right password', () => {
  const often = async (host: Host, body: object) => {
    for (let time = 0; time < 12; time += 1) await post(host, body).expect(302)
  }

  it('costs nothing: by the id, the e-mail, the e-mail as the username', async () => {
    const user = { ...ann, email: 'Ann@Acme.example' }
    await often(hostWith({ users: [user] }), { username: user.email, password: ann.password })
    await often(hostWith(), { username: 'ann', password: ann.password })
    const both = { username: user.email, email: 'ann', password: ann.password }
    await often(hostWith({ users: [user] }), both)
  })

  it('costs nothing with a realm', async () => {
    const host = hostWith({ options: { realm: 'staff' } })
    await often(host, { username: 'ann', password: ann.password })
  })

  it('costs nothing by a username, which the user has as `username`', async () => {
    const user: User = { ...ann, id: '42', username: 'Annie' }
    await often(hostWith({ users: [user] }), { username: 'Annie', password: ann.password })
  })

  it('costs a place where the name is typed otherwise than it is told, and nobody is warned', async () => {
    const user: User = { ...ann, email: 'Ann@Acme.example' }
    const host = hostWith({ users: [user] })
    const right = { username: ' ann@acme.example', password: ann.password }
    const warnings = await warningsDuring(async () => {
      for (let time = 0; time < 10; time += 1) await post(host, right).expect(302)
    })
    await post(host, right).expect(429)
    expect(warnings.filter((text) => text.includes('limitPassword'))).to.deep.equal([])
  })

  it('costs nothing by a name that `describe` tells as the username', async () => {
    const user: User = { ...ann, id: '42', login: 'annie' }
    const describe = (one: User) => ({ id: one.id, name: one.name, username: one.login })
    const options = { describe: describe as NonNullable<Given['options']>['describe'] }
    const host = hostWith({ users: [user], options: options as Given['options'] & object })
    await often(host, { username: 'annie', password: ann.password })
  })

  it('costs a place by a name that is nowhere told, and a warning says what to tell', async () => {
    const user: User = { ...ann, id: '42', login: 'annie' }
    const host = hostWith({ users: [user] })
    const right = { username: 'annie', password: ann.password }
    const warnings = await warningsDuring(async () => {
      for (let time = 0; time < 10; time += 1) await post(host, right).expect(302)
    })
    await post(host, right).expect(429)
    expect(warnings.filter((text) => text.includes('`username`'))).to.have.length(1)
  })

  it('gives its own place back and not that of another name beside it', async () => {
    const host = hostWith()
    const beside = { username: 'ann', password: ann.password, email: 'bob' }
    for (let time = 0; time < 10; time += 1) await post(host, beside).expect(302)
    await post(host, beside).expect(429)
    await post(host, { username: 'ann', password: ann.password }).expect(302)
  })
})
