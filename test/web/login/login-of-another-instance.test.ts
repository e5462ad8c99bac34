// The attack: an app has two Passport instances. The one for staff signs in at every request by a header, in front of
// the guard, and the other one is in charge by the time the guard looks. Where staff have a property of their own
// (`req.staff`), nobody saw them, and no code was asked for. Where they have the usual one, the pending login was
// noted for the wrong instance, and no code got anybody in.

import { expect } from 'chai'
import express, { type Request, type Router } from 'express'
import { Passport, Strategy } from 'passport'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'

type Instance = InstanceType<typeof Passport>

class HeaderStrategy extends Strategy {
  override readonly name = 'header'

  override authenticate(req: Request): void {
    const user = [ann, bob].find(({ id }) => id === req.get('x-remote-user'))
    if (user === undefined) this.pass()
    else this.success(user)
  }
}

function staffPassport(key: string): Instance {
  const staff = new Passport()
  staff.use(new HeaderStrategy())
  staff.serializeUser((user, done) => done(null, (user as HostUser).id))
  staff.deserializeUser((id, done) =>
    done(null, [ann, bob].find((user) => user.id === id) ?? false),
  )
  const { session } = Reflect.get(staff, '_strategies')
  for (const part of [staff, Reflect.get(staff, '_sm'), session]) Reflect.set(part, '_key', key)
  return staff
}

interface Mounts {
  readonly property: string
  readonly key?: string
  readonly sessionToo?: boolean
  /** Whether the header is looked at also where somebody is signed in. */
  readonly always?: boolean
}

function hostWith({ property, key = 'staff', sessionToo = false, always = true }: Mounts): Host {
  const [passport, staff] = [new Passport(), staffPassport(key)]
  const front: Router = express.Router()
  front.use(staff.initialize({ userProperty: property }))
  if (sessionToo) front.use(staff.session())
  const byHeader = staff.authenticate('header')
  front.use((req, res, next) =>
    !always && Reflect.get(req, property) ? next() : byHeader(req, res, next),
  )
  front.use(passport.initialize({ userProperty: 'user' }))
  const host = makeHost({
    passport,
    passports: [passport, staff],
    initialize: front,
    routes: ({ app }) => {
      const idUnder = (req: Request, name: string) => Reflect.get(req, name)?.id ?? null
      app.get('/who', (req, res) =>
        res.json({ user: idUnder(req, 'user'), staff: idUnder(req, 'staff') }),
      )
    },
  })
  host.app.set('env', 'test')
  return host
}

function staffBrowser(host: Host, user: HostUser): Browser {
  return browserOf(host).set('x-remote-user', user.id)
}

describe('a login of another instance in front of the guard, under a property of its own', () => {
  for (const key of ['staff', 'passport']) {
    for (const sessionToo of [true, false]) {
      const how = `key ${key}, ${sessionToo ? 'with' : 'without'} its session()`
      it(`fails, and says what to change (${how})`, async () => {
        const host = hostWith({ property: 'staff', key, sessionToo, always: !sessionToo })
        const browser = staffBrowser(host, ann)
        for (const _ of ['first', 'again']) {
          const answer = await getJson(browser, '/who').expect(500)
          expect(answer.text).to.include('mount guard() ')
          expect(answer.text).to.not.include('"staff":"ann"')
        }
      })
    }
  }

  it('names the property', async () => {
    const answer = await getJson(staffBrowser(hostWith({ property: 'staff' }), ann), '/who')
    expect(answer.text).to.include('req.staff')
  })
})

describe('a login of another instance in front of the guard, under the usual property', () => {
  for (const key of ['staff', 'passport']) {
    it(`asks for the code of that instance’s user, and lets them in (key ${key})`, async () => {
      const host = hostWith({ property: 'user', key })
      const enrolment = await enrol(host, ann)
      const browser = staffBrowser(host, ann)
      await getJson(browser, '/who').expect(200, { user: null, staff: null })
      await giveCode(browser, enrolment.code()).expect(200)
      await getJson(browser, '/who').expect(200, { user: 'ann', staff: null })
      host.system.advance(30_000)
      await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
      await getJson(browser, '/who').expect(200, { user: 'ann', staff: null })
      const stamps = sessionsOf(host).map(({ secondStep }) => secondStep?.verified)
      expect(stamps.filter((stamp) => stamp?.instance === 1)).to.have.length(1)
    })
  }

  it('signs a user without a second step in, who can set one up', async () => {
    const host = hostWith({ property: 'user' })
    const browser = staffBrowser(host, bob)
    for (const _ of ['first', 'again']) {
      await getJson(browser, '/who').expect(200, { user: 'bob', staff: null })
    }
    const [session] = sessionsOf(host)
    expect(session?.secondStep?.verified?.instance).to.equal(1)
    await getJson(browser, '/second-step/setup').expect(200)
  })
})
