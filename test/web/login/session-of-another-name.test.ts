// The attack: behind the guard, an app reads users out of a second key of the session by Passport's SessionStrategy
// itself, under a name of its own or as an object. A thief has a session there whose user has a second step.

import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { Passport, type Strategy } from 'passport'
import { getJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { editSession } from '../../support/sessions.js'
import { warningsDuring } from '../../support/warnings.js'

type Deserialise = (
  id: unknown,
  req: unknown,
  done: (error: unknown, user?: unknown) => void,
) => void

// The types of Passport leave it out.
const { SessionStrategy } = createRequire(import.meta.url)('passport').strategies as {
  SessionStrategy: new (options: { key: string }, deserialise: Deserialise) => Strategy
}

const find: Deserialise = (id, _req, done) =>
  done(null, [ann, bob].find((user) => user.id === id) ?? false)

class StaffSession extends SessionStrategy {}

const mounts: Readonly<Record<string, (passport: InstanceType<typeof Passport>) => unknown>> = {
  'under another name': (passport) => {
    passport.use('staff-session', new SessionStrategy({ key: 'staff' }, find))
    return 'staff-session'
  },
  'as an object': () => new SessionStrategy({ key: 'staff' }, find),
  'as an object of a class made of it': () => new StaffSession({ key: 'staff' }, find),
  'among others': (passport) => {
    passport.use('staff-session', new SessionStrategy({ key: 'staff' }, find))
    return ['staff-session']
  },
}

for (const [how, mount] of Object.entries(mounts)) {
  for (const place of ['behind', 'in front of'] as const) {
    describe(`Passport's session strategy ${how}, ${place} the guard`, () => {
      function hostWith(): Host {
        const passport = new Passport()
        const made = () =>
          passport.authenticate(mount(passport) as string) as unknown as RequestHandler
        return makeHost({
          passport,
          ...(place === 'in front of' ? { beforeGuard: ({ app }) => void app.use(made()) } : {}),
          routes: ({ app }) => {
            if (place === 'behind') app.use('/staff', made())
            app.get('/staff/who', (req, res) =>
              res.json({ user: (req.user as HostUser | undefined)?.id ?? null }),
            )
          },
        })
      }

      async function withStaffSession(host: Host): Promise<Browser> {
        const browser = browserOf(host)
        await passFirstStep(browser, bob).expect(302)
        editSession(host, (session) => {
          if (session.passport?.user !== 'bob') return
          delete session.passport
          delete session.secondStep
          Reflect.set(session, 'staff', { user: 'ann' })
        })
        return browser
      }

      it('brings nobody in whose second step is open', async () => {
        const host = hostWith()
        await enrol(host, ann)
        const thief = await withStaffSession(host)
        const told = await warningsDuring(async () => {
          const { body } = await getJson(thief, '/staff/who')
          expect(body.user ?? null).to.equal(null)
        })
        expect(told.join()).to.include('another key of the session').and.include('`passports`')
      })

      it('brings in whoever needs none, to whom the pages of the second step are closed', async () => {
        const browser = await withStaffSession(hostWith())
        await getJson(browser, '/staff/who').expect(200, { user: 'ann' })
        await getJson(browser, '/second-step/setup').expect(401)
      })
    })
  }
}
