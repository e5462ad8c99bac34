// The mistake: an API is mounted in front of session() and guard(), and its login hands out a token for the password
// alone, also to users who have a second step. Nothing refuses it there, and nothing said so.

import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import type { Passport } from 'passport'
import { postJson } from '../../support/answers.js'
import { browserOf, enrol } from '../../support/browser.js'
import { ann, bob, type HostUser, makeHost } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

type Login = (passport: InstanceType<typeof Passport>, options: object) => RequestHandler

const logins: Readonly<Record<string, Login>> = {
  'with a callback': (passport, options) => (req, res, next) => {
    const made = passport.authenticate('local', options, (error: unknown, user: unknown) =>
      error ? next(error) : res.json({ token: (user as HostUser).id }),
    ) as RequestHandler
    made(req, res, next)
  },
  'without one': (passport, options) => passport.authenticate('local', options) as RequestHandler,
}

for (const [name, login] of Object.entries(logins)) {
  describe(`a login without a session in front of the guard, ${name}`, () => {
    async function saidAt(
      user: HostUser,
      options: object,
      isNamed = false,
    ): Promise<readonly string[]> {
      const host = makeHost({
        beforeGuard: ({ app, passport }) => {
          const answer: RequestHandler = (_req, res) => void res.json({ in: true })
          app.post('/api/token', express.json(), login(passport, options), answer)
        },
      })
      await enrol(host, ann)
      return warningsDuring(async (soFar) => {
        const credentials = { username: user.id, password: user.password }
        await postJson(browserOf(host), '/api/token', credentials).expect(200)
        for (let turn = 0; soFar().length === 0 && (isNamed || turn < 20); turn += 1) {
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
    }

    it('is named to the operator, with what to change', async () => {
      const [said = ''] = await saidAt(ann, { session: false }, true)
      expect(said).to.contain('POST /api/token').and.to.contain("passport.authenticate('local', …)")
      expect(said).to.contain('in front of guard()').and.to.contain('secondStep: false')
    })

    it('is not, where the host says that it means it', async () => {
      expect(await saidAt(ann, { session: false, secondStep: false })).to.deep.equal([])
    })

    it('is not for a user who has no second step', async () => {
      expect(await saidAt(bob, { session: false })).to.deep.equal([])
    })

    // The mistake: the next request finds nobody, as if the session had been lost.
    it('is named too where it begins a session that the guard never sees begin', async () => {
      const [said = ''] = await saidAt(ann, {}, true)
      expect(said).to.contain('POST /api/token').and.to.contain('which does not see that login')
      expect(await saidAt(bob, {})).to.deep.equal([])
    })
  })
}
