// The attack: an app extends Passport's SessionStrategy, so that one strategy takes a session or a name and a password,
// and hands out a token in the callback. A thief who has the password alone asks for one.

import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { Request } from 'express'
import { Passport, type Strategy } from 'passport'
import { postJson } from '../../support/answers.js'
import { browserOf, enrol } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { warningsUntil } from '../../support/warnings.js'

type Deserialise = (
  id: unknown,
  req: unknown,
  done: (error: unknown, user?: unknown) => void,
) => void

/** With the actions that Passport gives it. */
type AtWork = InstanceType<typeof Strategy>

// The types of Passport leave it out.
const { SessionStrategy } = createRequire(import.meta.url)('passport').strategies as {
  SessionStrategy: new (options: { key: string }, deserialise: Deserialise) => AtWork
}

const users = [ann, bob]
const find: Deserialise = (id, _req, done) =>
  done(
    null,
    users.find((user) => user.id === id),
  )

function userOfPassword({ body, route }: Request): HostUser | undefined {
  if (route === undefined) return undefined
  return users.find(({ id, password }) => id === body?.username && password === body.password)
}

class SessionOrPassword extends SessionStrategy {
  override authenticate(req: Request, options?: object): void {
    const user = userOfPassword(req)
    if (user === undefined) super.authenticate(req, options)
    else this.success(user)
  }
}

/** An app's own, which has only the name of Passport's. */
class OwnSession {
  readonly name = 'session'

  authenticate(this: AtWork, req: Request): void {
    const user = userOfPassword(req)
    if (user !== undefined) this.success(user)
    else {
      const { passport } = req.session as { passport?: { user?: unknown } }
      const found = users.find(({ id }) => id === passport?.user)
      if (found !== undefined) req.user = found
      this.pass()
    }
  }
}

const both = () => new SessionOrPassword({ key: 'staff' }, find)

type Mount = (passport: InstanceType<typeof Passport>) => string | Strategy

const mounts: Readonly<Record<string, Mount>> = {
  'of a class made of it': (passport) => {
    passport.use('both', both())
    return 'both'
  },
  'that is passed as an object': both,
  'of the app’s own, under its name': (passport) => {
    passport.use(new OwnSession() as unknown as Strategy)
    return 'session'
  },
}

type Way = 'authenticate' | 'authorize'

function hostThatHandsOut(mount: Mount, way: Way, options: object): Host {
  const passport = new Passport()
  return makeHost({
    passport,
    routes: ({ app }) => {
      const strategy = mount(passport)
      app.post('/token', (req, res, next) => {
        const callback = (error: unknown, user?: HostUser | false) => {
          if (error) next(error)
          else res.status(user ? 200 : 401).json({ token: user ? user.id : null })
        }
        passport[way](strategy as string, options, callback)(req, res, next)
      })
    },
  })
}

const askForToken = (host: Host, { id, password }: HostUser) =>
  postJson(browserOf(host), '/token', { username: id, password })

for (const [which, mount] of Object.entries(mounts)) {
  describe(`a session strategy ${which} that signs in`, () => {
    for (const way of ['authenticate', 'authorize'] as const) {
      it(`gives no token for the password alone, by ${way}()`, async () => {
        const host = hostThatHandsOut(mount, way, { session: false })
        await enrol(host, ann)
        const { status, body } = await askForToken(host, ann)
        expect(body).to.not.have.property('token')
        expect(status).to.equal(401)
      })

      it(`gives one to whoever needs no second step, by ${way}()`, async () => {
        const host = hostThatHandsOut(mount, way, { session: false })
        await askForToken(host, bob).expect(200, { token: 'bob' })
      })
    }

    it('is warned of where the callback answers without a login', async () => {
      const host = hostThatHandsOut(mount, 'authenticate', {})
      await enrol(host, ann)
      const told = await warningsUntil('POST /token', () => askForToken(host, ann))
      expect(told.join()).to.include('POST /token').and.include('the first step alone')
    })
  })
}
