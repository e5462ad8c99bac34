// The mistake: a session is saved for the login and saved again at the end of the response, or, to spare
// that, not saved although the host has changed it in between.

import { expect } from 'chai'
import type { Request } from 'express'
import { type SessionData, Store } from 'express-session'
import {
  browserOf,
  browserWithCookie,
  enrol,
  giveCode,
  passFirstStep,
} from '../../support/browser.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'
import { endings } from '../../support/process-endings.js'
import { sessionsOf } from '../../support/sessions.js'

type Change = (req: Request) => void

/** The login route at which the host changes the new session before it answers. */
function changingHost(change: Change): Host {
  return makeHost({
    routes: ({ app }) => {
      app.post('/changing', (req, res, next) => {
        req.logIn(bob, (error: unknown) => {
          if (error) return next(error)
          change(req)
          return res.json({ in: true })
        })
      })
    },
  })
}

/** The calls of the session store from now on. */
function callsOf({ sessions }: Host): string[] {
  const calls: string[] = []
  for (const name of ['set', 'destroy'] as const) {
    const call = sessions[name].bind(sessions) as (...args: unknown[]) => void
    Reflect.set(sessions, name, (...args: unknown[]) => {
      calls.push(name)
      call(...args)
    })
  }
  return calls
}

describe('the session of a login', () => {
  it('is saved once for a user without a second step', async () => {
    const host = makeHost()
    const calls = callsOf(host)
    await passFirstStep(browserWithCookie(host), bob)
    expect(calls).to.deep.equal(['destroy', 'set'])
  })

  it('is saved once for a pending login, and once for the second step', async () => {
    const host = makeHost()
    const { code } = await enrol(host, ann)
    const browser = browserWithCookie(host)
    const calls = callsOf(host)
    await passFirstStep(browser, ann).expect(200)
    expect(calls).to.deep.equal(['destroy', 'set'])
    await giveCode(browser, code()).expect(200)
    expect(calls).to.deep.equal(['destroy', 'set', 'destroy', 'set'])
    await browser.get('/inside').expect(200)
  })

  it('is not saved again by a host that saves it before it answers', async () => {
    const host = changingHost((req) => req.session.save())
    const calls = callsOf(host)
    await browserWithCookie(host).post('/changing').expect(200)
    expect(calls).to.deep.equal(['destroy', 'set'])
  })

  const changes: Readonly<Record<string, Change>> = {
    'a key of its own': (req) => Reflect.set(req.session, 'cart', ['book']),
    'a map, which JSON does not show': (req) => {
      Reflect.set(req.session, 'cart', new Map([['book', 1]]))
    },
    'a value that is none in JSON': (req) => Reflect.set(req.session, 'cart', undefined),
    'a date': (req) => Reflect.set(req.session, 'at', new Date(0)),
    'how long the cookie lasts': (req) => {
      req.session.cookie.maxAge = 86_400_000
    },
    'the user that Passport keeps': (req) => {
      Reflect.set(Object(Reflect.get(req.session, 'passport')), 'user', 'ann')
    },
    'what cannot be compared': (req) => Reflect.set(req.session, 'cart', () => 1),
  }

  // Each of these looks the same in JSON before and after the change.
  const unseen: Readonly<
    Record<string, readonly [before: unknown, change: (cart: never) => void]>
  > = {
    'a map': [new Map(), (cart: Map<string, number>) => cart.set('book', 1)],
    'a zero': [{ left: 0 }, (cart: { left: number }) => Object.assign(cart, { left: -0 })],
    'what is no number': [
      { left: Number.NaN },
      (cart: { left: number }) => Object.assign(cart, { left: Number.POSITIVE_INFINITY }),
    ],
    'a hole in a list': [Array(1), (cart: unknown[]) => cart.fill(null)],
    'a member beside the elements of a list': [
      ['book'],
      (cart: string[]) => Object.assign(cart, { left: 1 }),
    ],
    'a member that is not there in JSON': [
      {},
      (cart: object) => Object.assign(cart, { left: undefined }),
    ],
  }
  for (const [name, [cart, change]] of Object.entries(unseen)) {
    it(`is saved again where the host has changed ${name}, the same in JSON`, async () => {
      const host = makeHost({
        routes: ({ app }) => {
          app.post('/changing', (req, res, next) => {
            Reflect.set(req.session, 'cart', cart)
            req.logIn(bob, { session: true, keepSessionInfo: true }, (error: unknown) => {
              if (error) return next(error)
              change(cart as never)
              return res.json({ in: true })
            })
          })
        },
      })
      const calls = callsOf(host)
      await browserWithCookie(host).post('/changing').expect(200)
      expect(calls).to.deep.equal(['destroy', 'set', 'set'])
    })
  }

  it('is saved again where the host has changed what only JSON shows', async () => {
    class Cart {
      readonly #items: string[] = []
      add(item: string): void {
        this.#items.push(item)
      }
      toJSON(): readonly string[] {
        return this.#items
      }
    }
    const cart = new Cart()
    const host = makeHost({
      routes: ({ app }) => {
        app.post('/changing', (req, res, next) => {
          Reflect.set(req.session, 'cart', cart)
          req.logIn(bob, { session: true, keepSessionInfo: true }, (error: unknown) => {
            if (error) return next(error)
            cart.add('book')
            return res.json({ in: true })
          })
        })
      },
    })
    await browserWithCookie(host).post('/changing').expect(200)
    expect(sessionsOf(host).map((one) => Reflect.get(one, 'cart'))).to.deep.equal([['book']])
  })

  for (const [name, change] of Object.entries(changes)) {
    it(`is saved again where the host has changed ${name}`, async () => {
      const host = changingHost(change)
      const calls = callsOf(host)
      await browserWithCookie(host).post('/changing').expect(200)
      expect(calls).to.deep.equal(['destroy', 'set', 'set'])
    })
  }

  it('keeps what the host has put into it', async () => {
    const host = changingHost((req) => Reflect.set(req.session, 'returnTo', '/cart'))
    await browserWithCookie(host).post('/changing').expect(200)
    expect(sessionsOf(host).map(({ returnTo }) => returnTo)).to.deep.equal(['/cart'])
  })
})

// The attack: somebody has given a victim a session whose id they know, and waits until the victim logs in. Where nobody
// can know the id there is nothing to destroy; everywhere else the old session must be gone.
describe('the session that a login replaces', () => {
  it('is not looked for at the store where the browser came without any cookie', async () => {
    const host = makeHost()
    const { code } = await enrol(host, ann)
    const browser = browserOf(host)
    const calls = callsOf(host)
    await passFirstStep(browserOf(host), bob)
    expect(calls).to.deep.equal(['set'])
    await passFirstStep(browser, ann).expect(200)
    await giveCode(browser, code()).expect(200)
    expect(calls).to.deep.equal(['set', 'set', 'destroy', 'set'])
  })

  const known: Readonly<Record<string, (req: Request) => void>> = {
    'a login of the same request has saved': () => undefined,
    'has an id that the host has chosen': (req) => {
      req.sessionID = 'known to somebody'
    },
    'the host has made of its own stored session': (req) => {
      const stored = { cookie: { originalMaxAge: null } } as unknown as SessionData
      req.sessionID = 'known to somebody'
      req.sessionStore.createSession(req, stored)
    },
    'a cookie parser may have found': (req) => {
      req.cookies = { 'connect.sid': 's:known' }
    },
    'a cookie parser may have found in a signed cookie': (req) => {
      req.signedCookies = { 'connect.sid': 'known' }
    },
  }
  for (const [name, prepare] of Object.entries(known)) {
    it(`is destroyed where it is one that ${name}`, async () => {
      const host = makeHost({
        routes: ({ app }) => {
          app.post('/twice', (req, res, next) => {
            const again = () => req.logIn(bob, (error) => (error ? next(error) : res.json({})))
            prepare(req)
            if (name.startsWith('a login')) req.logIn(bob, again)
            else again()
          })
        },
      })
      const calls = callsOf(host)
      await browserOf(host).post('/twice').expect(200)
      const first = name.startsWith('a login') ? ['set'] : []
      expect(calls).to.deep.equal([...first, 'destroy', 'set'])
    })
  }
})

describe('a login whose old session cannot be destroyed', () => {
  it('signs nobody in, and leaves no session behind', async () => {
    const host = makeHost()
    const browser = browserWithCookie(host)
    let failing = true
    const destroy = host.sessions.destroy.bind(host.sessions)
    host.sessions.destroy = (id, done) => {
      if (!failing) return destroy(id, done)
      failing = false
      return setImmediate(() => done?.(new Error('cannot destroy')))
    }
    await passFirstStep(browser, bob).expect(503)
    expect(sessionsOf(host)).to.deep.equal([])
    await browser.get('/inside').expect(401)
  })

  // A busy or closed store that answers at once: what it throws, twice, ended the process.
  it('is refused where the store throws, and ends no process', async () => {
    const host = makeHost()
    host.sessions.destroy = () => {
      throw new Error('SQLITE_BUSY')
    }
    const ended = await endings(async () => {
      await passFirstStep(browserWithCookie(host), bob).expect(503)
      await new Promise((resolve) => setImmediate(resolve))
    })
    expect(ended).to.deep.equal([])
  })
})

describe('a session store with a regeneration of its own', () => {
  it('has its own called, and the session is saved after it', async () => {
    const host = makeHost()
    const calls = callsOf(host)
    host.sessions.regenerate = (req, done) => {
      calls.push('regenerate')
      Store.prototype.regenerate.call(host.sessions, req, (error: unknown) => {
        calls.push('regenerated')
        done(error)
      })
    }
    await passFirstStep(browserWithCookie(host), bob)
    expect(calls).to.deep.equal(['regenerate', 'destroy', 'regenerated', 'set'])
  })
})
