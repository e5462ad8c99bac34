// The attack: a host has a challenge page of its own, and its callback of the strategy waits for something
// before it calls `req.logIn`. Somebody has the password and one code. While the callback waits, the owner
// ends everything, or resets the second step: the login must not begin again by itself.

import { expect } from 'chai'
import type { LogInOptions } from 'passport'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, type Enrolment, giveCode, passFirstStep } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, bob, type Host, type HostUser } from '../../support/host.js'
import { enrolledVisit, pendingBrowser, type Visit } from '../../support/visits.js'

type Meanwhile = (host: Host, owner: Browser, enrolment: Enrolment) => PromiseLike<unknown>

const byOwner =
  (path: string): Meanwhile =>
  (host, owner, enrolment) => {
    host.system.advance(30 * SECOND)
    return postJson(owner, `/second-step/${path}`, { code: enrolment.code() }).expect(200)
  }

const ENDINGS: Readonly<Record<string, Meanwhile>> = {
  'endSessions()': ({ secondStep }) => secondStep.endSessions('ann'),
  'passwordChanged()': ({ secondStep }) => secondStep.passwordChanged('ann'),
  'the owner’s reset': byOwner('reset'),
  'the owner has turned it off': byOwner('disable'),
}

interface Login {
  readonly as?: HostUser
  readonly options?: LogInOptions
  readonly found?: { session?: boolean }
}

/** A host whose own challenge page waits, and the owner, who is signed in. */
async function waitingHost(meanwhile: Meanwhile, login: Login): Promise<Visit> {
  let wait = (): PromiseLike<unknown> => Promise.resolve()
  const visit = await enrolledVisit({
    routes: ({ app, passport, secondStep }) => {
      passport.use(secondStep.strategy())
      app.post('/code', (req, res, next) => {
        const answered = async (_error: unknown, user: HostUser | false) => {
          if (user === false) return res.sendStatus(401)
          await wait()
          return req.logIn(
            (login.as ?? user) as Express.User,
            login.options ?? { session: true },
            (error) => (error ? next(error) : res.json({ in: true })),
          )
        }
        passport.authenticate('second-step', login.found ?? {}, answered)(req, res, next)
      })
    },
  })
  const { host, enrolment, browser: owner } = visit
  await passFirstStep(owner, ann).expect(200)
  await giveCode(owner, enrolment.code()).expect(200)
  host.system.advance(30 * SECOND)
  wait = () => meanwhile(host, owner, enrolment)
  return visit
}

const LOGINS: Readonly<Record<string, Login>> = {
  'req.logIn(user)': {},
  'req.logIn(user) for this request alone': { options: { session: false } },
  'req.logIn() of somebody else': { as: bob },
  'req.logIn(user) after `session: false`': { found: { session: false } },
}

for (const [how, login] of Object.entries(LOGINS)) {
  describe(`a second step passed by the strategy, then ${how}`, () => {
    for (const [name, end] of Object.entries(ENDINGS)) {
      it(`signs nobody in where ${name} comes between`, async () => {
        const { host, enrolment } = await waitingHost(end, login)
        const browser = await pendingBrowser(host)
        const answer = await postJson(browser, '/code', { code: enrolment.code() })
        expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
        await getJson(browser, '/inside').expect(401, { user: null })
        const setUp = await getJson(browser, '/second-step/setup')
        expect([setUp.status, setUp.body.code]).to.deep.equal([401, 'not-signed-in'])
      })
    }

    it('goes on where nothing comes between', async () => {
      const { host, enrolment } = await waitingHost(() => Promise.resolve(), login)
      const browser = await pendingBrowser(host)
      await postJson(browser, '/code', { code: enrolment.code() }).expect(200, { in: true })
    })
  })
}
