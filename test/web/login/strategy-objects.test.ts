// The attack: an app gives Passport a strategy itself instead of its name. Passport then uses that one object for all
// requests, so of two that wait for the user store at the same time, the one got the user of the other.

import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { Strategy as LocalStrategy } from 'passport-local'
import { postJson } from '../../support/answers.js'
import { type Browser, browserOf } from '../../support/browser.js'
import { ann, bob, type HostOptions, type HostUser, makeHost } from '../../support/host.js'

type Asked = (user: HostUser) => void

/** A login by an object, whose user store answers when it is told to. */
function hostWithObject(
  place: 'behind' | 'in front of',
  askedFor: (name: string, go: Asked) => void,
) {
  const strategy = new LocalStrategy((name, _password, done) => {
    askedFor(name, (user) => done(null, user))
  })
  const mount: HostOptions['mountFirst'] = ({ app, passport }) => {
    const login = passport.authenticate(strategy as never, { session: false }) as RequestHandler
    const who: RequestHandler = (req, res) => res.json({ in: (req.user as HostUser).id })
    app.post('/token', (req, _res, next) => {
      Reflect.set(req, 'body', { username: req.get('x-name'), password: 'any' })
      next()
    })
    app.post('/token', login, who)
  }
  return makeHost(place === 'behind' ? { mountFirst: mount } : { beforeGuard: mount })
}

function settledLater(): { readonly promise: Promise<void>; readonly settle: () => void } {
  let settle = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    settle = resolve
  })
  return { promise, settle: () => settle() }
}

for (const place of ['behind', 'in front of'] as const) {
  it(`a strategy as an object, ${place} the guard, tells each of two requests its own user`, async () => {
    const asked = new Map<string, Asked>()
    const { promise: both, settle } = settledLater()
    const host = hostWithObject(place, (name, go) => {
      asked.set(name, go)
      if (asked.size === 2) settle()
    })
    const ask = async (browser: Browser, name: string) =>
      postJson(browser, '/token').set('x-name', name)
    const answers = [ask(browserOf(host), 'ann'), ask(browserOf(host), 'bob')]
    await both
    asked.get('ann')?.(ann)
    asked.get('bob')?.(bob)
    const bodies = (await Promise.all(answers)).map(({ body }) => body)
    expect(bodies).to.deep.equal([{ in: 'ann' }, { in: 'bob' }])
  })
}
