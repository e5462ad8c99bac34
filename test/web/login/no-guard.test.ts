// The host makes a second step and mounts its router, but never the guard: enrolled users get in with the
// password alone, and nothing says so.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import session from 'express-session'
import { Passport } from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import supertest from 'supertest'
import { createSecondStep, memoryStore } from '../../../lib/index.js'
import { warningsDuring } from '../../support/warnings.js'

function hostWithoutGuard(logInOptions: object = {}) {
  const [app, passport] = [express(), new Passport()]
  const options = { issuer: 'Acme', origin: 'http://127.0.0.1', passports: [passport] }
  const keys = [randomBytes(32).toString('base64')]
  const secondStep = createSecondStep({ ...options, keys, store: memoryStore() })
  passport.use(new LocalStrategy((name, _password, done) => done(null, { id: name })))
  passport.serializeUser((user, done) => done(null, user))
  passport.deserializeUser((user: Express.User, done) => done(null, user))
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false }))
  app.use(passport.session(), express.json())
  app.post('/login', passport.authenticate('local', logInOptions), (_req, res) => res.json({}))
  app.post('/callback', (req, res, next) => {
    const done = (_error: unknown, user: unknown) => res.json({ token: user })
    passport.authenticate('local', { session: false }, done)(req, res, next)
  })
  app.post('/own', (req, res, next) => {
    req.logIn({ id: 'ann' } as unknown as Express.User, (error) =>
      error ? next(error) : res.json({}),
    )
  })
  app.use('/second-step', secondStep.router())
  const signIn = (path = '/login') =>
    supertest(app).post(path).send({ username: 'ann', password: 'x' }).expect(200)
  return { signIn, secondStep }
}

const LINE = 'app.use(secondStep.guard()) right after app.use(passport.session())'

describe('a login where guard() was never called', () => {
  for (const [what, path, options] of [
    ['with a session', '/login', {}],
    ['without a session', '/login', { session: false }],
    ['whose callback hands out a token', '/callback', {}],
    ['by req.logIn() of the host’s own', '/own', {}],
  ] as const) {
    it(`is warned of once, naming the line to add: ${what}`, async () => {
      const { signIn } = hostWithoutGuard(options)
      const said = await warningsDuring(async () => {
        await signIn(path)
        await signIn(path)
      })
      expect(said.filter((text) => text.includes('guard()'))).to.have.length(1)
      expect(said.join()).to.include(LINE).and.include('no code')
    })
  }

  it('is not warned of where it was called', async () => {
    const { signIn, secondStep } = hostWithoutGuard()
    secondStep.guard()
    const said = await warningsDuring(() => signIn())
    expect(said.join()).to.not.include(LINE)
  })
})
