// Somebody who knows the password and has no factor guesses codes: from many sessions at once, by
// every route that takes one, day after day, while the owner goes on signing in.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { memoryStore } from '../../lib/index.js'
import {
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  JSON_TYPE,
  passFirstStep,
  signIn,
} from '../support/browser.js'
import { DAY, MINUTE, movedSystem } from '../support/clock.js'
import { ann, type Host, makeHost } from '../support/host.js'
import { believesProvider } from '../support/provider.js'
import { recordOf, setPolicy } from '../support/visits.js'

/** A host whose second route takes codes too, and that limits no addresses. */
function hostWithTwoRoutes(window: 0 | 1 | 2 = 1): Host {
  return makeHost({
    options: { ipLimit: false, totp: { window } },
    routes: ({ app, passport, secondStep }) => {
      passport.use(secondStep.strategy())
      app.post('/own-challenge', (req, res, next) => {
        const answered = (_error: unknown, _user: unknown, info: object, status?: number) =>
          res.status(status ?? 200).json(info)
        passport.authenticate('second-step', answered)(req, res, next)
      })
    },
  })
}

/** A six-digit code that is not right now, nor near. */
function wrongCode(enrolment: Enrolment, attempt: number): string {
  const right = Number(enrolment.code())
  return String((right + 500_000 + attempt) % 1_000_000).padStart(6, '0')
}

/** Guesses in a new session until it says no more. @returns how many verdicts it got */
async function guessInNewSession(host: Host, enrolment: Enrolment, seed: number): Promise<number> {
  const browser = browserOf(host)
  await passFirstStep(browser, ann)
  for (let verdicts = 0; ; verdicts += 1) {
    const code = wrongCode(enrolment, seed + verdicts)
    const atOwnRoute = (seed + verdicts) % 2 === 0
    const path = atOwnRoute ? '/own-challenge' : '/second-step/challenge'
    const answer = await browser.post(path).set('Accept', JSON_TYPE).send({ code })
    if (answer.body.code !== 'wrong-code') return verdicts
  }
}

describe('promise 3: guessing does not pay', () => {
  it('gives a burst of 200 guesses from 40 sessions five verdicts, and the rest the same bytes', async () => {
    const host = hostWithTwoRoutes()
    const enrolment = await enrol(host, ann)
    const browsers = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const browser = browserOf(host)
        await passFirstStep(browser, ann)
        return browser
      }),
    )
    const guesses = browsers.flatMap((browser, index) =>
      Array.from({ length: 5 }, (_, nth) =>
        giveCode(browser, wrongCode(enrolment, 5 * index + nth)),
      ),
    )
    const answers = await Promise.all(guesses)
    const verdicts = answers.filter(({ body }) => body.code === 'wrong-code')
    expect(verdicts).to.have.length(5)
    const others = answers.filter(({ body }) => body.code !== 'wrong-code')
    expect(new Set(others.map(({ status }) => status))).to.deep.equal(new Set([429]))
    expect(new Set(others.map(({ text }) => text)).size).to.equal(1)

    const waiting = browserOf(host)
    await passFirstStep(waiting, ann)
    const right = await giveCode(waiting, enrolment.code()).expect(429)
    expect(right.text, 'the right code is told in nothing from a wrong one').to.equal(
      others[0]?.text,
    )
    expect(right.headers['retry-after']).to.equal(others[0]?.headers['retry-after'])
    const recovered = await giveCode(waiting, enrolment.backupCodes[0]).expect(200)
    expect(recovered.body.method).to.equal('backup-code')
  })

  for (const [window, aDay] of [
    [0, 60],
    [1, 20],
    [2, 12],
  ] as const) {
    it(`gives ${aDay} verdicts in a day with a window of ${window}, though the owner signs in`, async () => {
      const host = hostWithTwoRoutes(window)
      const enrolment = await enrol(host, ann)
      const end = host.system.now() + DAY
      let verdicts = 0
      for (let turn = 0; host.system.now() < end; turn += 1) {
        verdicts += await guessInNewSession(host, enrolment, 7 * turn)
        host.system.advance(20 * MINUTE)
        if (verdicts < aDay && turn % 3 === 0) await ownerSignsIn(host, enrolment)
      }
      expect(verdicts).to.equal(aDay)
    })
  }

  for (const [name, by] of [
    ['behind', -40 * DAY],
    ['ahead', 40 * DAY],
  ] as const) {
    it(`is not helped by a machine whose clock is ${name}: no miss is forgotten, nor counts for ever`, async () => {
      const [keys, store] = [[randomBytes(32).toString('base64')], memoryStore()]
      const right = Date.UTC(2026, 0, 5, 12)
      const [host, wrong] = [right, right + by].map((start) =>
        makeHost({ options: { keys, store, ipLimit: false }, system: movedSystem(start) }),
      ) as [Host, Host]
      const enrolment = await enrol(host, ann)
      const verdicts: string[] = []
      for (let turn = 0; turn < 15; turn += 1) {
        for (const machine of [wrong, host]) {
          const browser = browserOf(machine)
          await passFirstStep(browser, ann)
          const { body } = await giveCode(browser, wrongCode(enrolment, turn))
          verdicts.push(body.code)
        }
      }
      expect(verdicts.filter((code) => code === 'wrong-code')).to.have.length(5)
      expect((await store.find('ann'))?.attempts.consecutive).to.equal(5)

      const owner = browserOf(host)
      await passFirstStep(owner, ann)
      host.system.advance(MINUTE)
      await giveCode(owner, enrolment.code()).expect(200)
    })
  }

  it('counts codes at a second route of the host in the same budget', async () => {
    // Vaultwarden CVE-2026-27801: the second route did not count.
    const host = hostWithTwoRoutes()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    for (let nth = 0; nth < 3; nth += 1) {
      await browser
        .post('/own-challenge')
        .send({ code: wrongCode(enrolment, nth) })
        .expect(401)
    }
    for (let nth = 3; nth < 5; nth += 1) {
      await giveCode(browser, wrongCode(enrolment, nth)).expect(401)
    }
    const other = browserOf(host)
    await passFirstStep(other, ann)
    await giveCode(other, enrolment.code()).expect(429)
  })

  it('counts a stolen session’s guesses at /fresh from the same budget', async () => {
    const host = hostWithTwoRoutes()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await signIn(browser, ann, enrolment)
    for (let nth = 0; nth < 5; nth += 1) {
      const code = wrongCode(enrolment, nth)
      await browser.post('/second-step/fresh').set('Accept', JSON_TYPE).send({ code }).expect(401)
    }
    const code = wrongCode(enrolment, 5)
    await browser.post('/second-step/fresh').set('Accept', JSON_TYPE).send({ code }).expect(429)
  })

  describe('is not helped by passwords that the guesser changes', () => {
    const doors = {
      'in a pause': async (host: Host) => {
        const record = await recordOf(host)
        const { version } = record
        const pausedUntil = host.system.now() + 9 * DAY
        const paused = { ...record, pausedUntil, writeId: 'paused', version: version + 1 }
        await host.store.write(paused, version)
      },
      'where the policy is off': (host: Host) => setPolicy(host, { mode: 'off' }),
      'where other roles alone are asked for codes': async (host: Host) => {
        await setPolicy(host, { mode: 'off', roles: { clerk: 'required' } })
      },
    }
    const whoever = [
      ['and stays signed in', true],
      ['and signs in with', false],
    ] as const
    for (const [where, open] of Object.entries(doors)) {
      for (const [how, stays] of whoever) {
        it(`${where} ${how}`, async () => {
          const host = makeHost({
            options: { ipLimit: false },
            routes: ({ app, secondStep }) => {
              app.post('/password', async (req, res) => {
                await secondStep.passwordChanged(ann.id, stays ? { except: req } : {})
                res.json({})
              })
            },
          })
          const enrolment = await enrol(host, ann)
          await open(host)
          const thief = browserOf(host)
          let verdicts = 0
          for (let round = 0; round < 6; round += 1) {
            if (round === 0 || !stays) await passFirstStep(thief, ann)
            for (let nth = 0; nth < 4; nth += 1) {
              const code = wrongCode(enrolment, 4 * round + nth)
              const path = '/second-step/fresh'
              const { body } = await thief.post(path).set('Accept', JSON_TYPE).send({ code })
              if (body.code === 'wrong-code') verdicts += 1
            }
            await thief.post('/password').expect(200)
          }
          expect(verdicts).to.equal(5)
        })
      }
    }

    it('where a sign-in provider lets in', async () => {
      const host = makeHost({ options: { upstream: believesProvider, ipLimit: false } })
      const enrolment = await enrol(host, ann)
      for (let nth = 0; nth < 5; nth += 1) {
        const browser = browserOf(host)
        await passFirstStep(browser, ann)
        await giveCode(browser, wrongCode(enrolment, nth)).expect(401)
      }
      await host.secondStep.passwordChanged(ann.id)
      const again = browserOf(host)
      await passFirstStep(again, ann)
      await giveCode(again, enrolment.code()).expect(429)
    })
  })

  it('is not helped by a first step taken again: its success clears nothing', async () => {
    const host = hostWithTwoRoutes()
    const enrolment = await enrol(host, ann)
    expect(await guessInNewSession(host, enrolment, 1)).to.equal(5)
    expect(await guessInNewSession(host, enrolment, 99)).to.equal(0)
  })
})

/** The owner waits for the present lock to pass and signs in with their app. */
async function ownerSignsIn(host: Host, enrolment: Enrolment): Promise<void> {
  host.system.advance(61 * MINUTE)
  await signIn(browserOf(host), ann, enrolment)
}
