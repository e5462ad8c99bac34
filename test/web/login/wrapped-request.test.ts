// The attack: the host hands the request on in an object of its own, one that inherits from it or a proxy
// around it. Through that object a Passport instance that the host did not name must not take charge, and
// a visitor between the two steps must not look like one who needs none.

import { expect } from 'chai'
import type { Request } from 'express'
import { Passport } from 'passport'
import { ConfigurationError } from '../../../lib/errors/configuration-error.js'
import { following } from '../../../lib/web/request/in-charge.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type HostOptions, type HostParts, makeHost } from '../../support/host.js'
import { cookieOf, slowRequest, useCookie } from '../../support/sessions.js'
import { enrolledVisit, pendingVisit, signedInVisit } from '../../support/visits.js'

const WRAPPINGS: Readonly<Record<string, (req: Request) => Request>> = {
  'the request itself': (req) => req,
  'an object that inherits from it': (req) => Object.create(req),
  'a proxy': (req) => new Proxy(req, {}),
  'a proxy that inherits from it': (req) => new Proxy(Object.create(req), {}),
}

/** What a wrapping lets an unknown Passport instance do. */
function takeCharge(req: Request): unknown {
  try {
    Reflect.set(req, '_sessionManager', Reflect.get(new Passport(), '_sm'))
  } catch (error) {
    return error
  }
  return null
}

function mountWrappings({ app }: HostParts): void {
  for (const [name, wrap] of Object.entries(WRAPPINGS)) {
    app.get(`/${encodeURIComponent(name)}`, (req, res) => {
      const [wrapped, before] = [wrap(req), Reflect.get(req, '_sessionManager')]
      const refused = takeCharge(wrapped) instanceof ConfigurationError
      res.json({
        status: wrapped.secondStep?.status,
        refused,
        same: [req, wrapped].every((one) => Reflect.get(one, '_sessionManager') === before),
      })
    })
  }
}

describe('a request that the host has wrapped', () => {
  for (const name of Object.keys(WRAPPINGS)) {
    it(`tells the same status, and refuses an unknown instance: ${name}`, async () => {
      const { browser } = await pendingVisit({ routes: mountWrappings })
      const { body } = await getJson(browser, `/${encodeURIComponent(name)}`).expect(200)
      expect(body).to.deep.equal({ status: 'code-required', refused: true, same: true })
    })
  }
})

describe('the instance in charge of a request', () => {
  const settings: Readonly<Record<string, HostOptions>> = {
    'session() alone': {},
    'initialize() in front': { initialize: new Passport().initialize() },
    'a host that defines it anew': {
      beforeGuard: ({ app }) =>
        app.use((req, _res, next) => {
          const value: unknown = Reflect.get(req, '_sessionManager')
          Object.defineProperty(req, '_sessionManager', {
            configurable: true,
            writable: true,
            value,
          })
          next()
        }),
    },
  }
  for (const [name, options] of Object.entries(settings)) {
    it(`is never an unknown one behind the guard: ${name}`, async () => {
      const { browser } = await signedInVisit({
        ...options,
        routes: ({ app }) =>
          app.get('/take', (req, res) => {
            const before: unknown = Reflect.get(req, '_sessionManager')
            const refused = takeCharge(req) instanceof ConfigurationError
            res.json({ refused, same: Reflect.get(req, '_sessionManager') === before })
          }),
      })
      const { body } = await getJson(browser, '/take').expect(200)
      expect(body).to.deep.equal({ refused: true, same: true })
    })
  }

  it('may be any one where no guard looks', async () => {
    const host = makeHost({
      beforeGuard: ({ app }) =>
        app.get('/in-front', (req, res) => {
          const failure = takeCharge(req)
          res.json({ failure, keys: Object.keys(req).includes('_sessionManager') })
        }),
    })
    const { body } = await getJson(browserOf(host), '/in-front').expect(200)
    expect(body).to.deep.equal({ failure: null, keys: true })
  })

  it('is not looked for by middleware of another framework', () => {
    const middleware = async (_context: unknown, _next: unknown) => undefined
    expect(following(middleware)).to.equal(middleware)
  })
})

describe('the session of a guarded request', () => {
  it('shows nothing of the package to a host that lists or copies it', async () => {
    const seen: string[][] = []
    const { browser } = await signedInVisit({
      routes: ({ app }) =>
        app.get('/session', ({ session }, res) => {
          const listed: string[] = []
          for (const name in session) listed.push(name)
          const copies = [Object.keys(session), Object.keys(JSON.parse(JSON.stringify(session)))]
          seen.push(listed, Object.keys({ ...session }), ...copies)
          res.json({})
        }),
    })
    await getJson(browser, '/session').expect(200)
    expect(seen).to.have.length(4)
    for (const names of seen) {
      expect(names).to.have.members(['cookie', 'passport', 'secondStep'])
    }
  })

  it('ends its login in the record also where a middleware gave it a method of its own', async () => {
    const { host, enrolment } = await enrolledVisit({
      beforeGuard: ({ app }) =>
        app.use((req, _res, next) => {
          const { destroy } = req.session
          req.session.destroy = (done) => destroy.call(req.session, done)
          next()
        }),
      routes: ({ app }) =>
        app.post('/destroy', (req, res, next) => {
          req.session.destroy((error) => (error ? next(error) : res.json({})))
        }),
    })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const slow = slowRequest(host, cookie)
    await postJson(useCookie(browserOf(host), cookie), '/destroy').expect(200)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })
})
