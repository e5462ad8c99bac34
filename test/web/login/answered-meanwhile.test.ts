// The mistake: a store is slow, the host's own time-out answers, and the request goes on all the same. What
// the visitor was told has failed is then done, and a second answer is an error that ends in the host's log.

import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import { getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf } from '../../support/sessions.js'
import { recordOf, setPolicy, wrongCodeOf } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

/** A host whose time-out is over just when a record, or a session, is asked for. */
function hostThatGivesUp(options: HostOptions = {}) {
  const happened: string[] = []
  let giveUp: (() => void) | null = null
  const note: ErrorRequestHandler = (error, _req, _res, _next) => {
    happened.push(String(error))
  }
  const host = makeHost({
    ...options,
    beforeGuard: ({ app }) => {
      app.use((req, res, next) => {
        giveUp =
          req.query.slow === undefined ? null : () => res.status(503).json({ said: 'too slow' })
        next()
      })
    },
    routes: ({ app, passport, secondStep }) => {
      passport.use(secondStep.strategy())
      const check = passport.authenticate('second-step', { failureRedirect: '/asked' })
      app.post('/my-code', check, (_req, res) => res.json({ in: true }))
      app.all('/asked', (req, res) => {
        happened.push('reached')
        res.json({ user: req.user ?? null })
      })
      app.use(note)
    },
  })
  return {
    host,
    happened,
    giveUp: () => giveUp?.(),
    timeOutAt(part: 'record' | 'write' | 'session') {
      if (part === 'record') {
        const find = host.store.find.bind(host.store)
        host.store.find = async (id) => {
          giveUp?.()
          giveUp = null
          return find(id)
        }
        return
      }
      if (part === 'write') {
        const write = host.store.write.bind(host.store)
        host.store.write = async (...given) => {
          giveUp?.()
          giveUp = null
          return write(...given)
        }
        return
      }
      const set = host.sessions.set.bind(host.sessions)
      host.sessions.set = (...given) => {
        giveUp?.()
        giveUp = null
        set(...given)
      }
    },
  }
}

/** What is left of the request runs at once, in a database when it has answered. */
async function settled(isOver = () => true): Promise<void> {
  for (let turn = 0; turn < 20 || !isOver(); turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function pendingBrowser(host: Host) {
  const { code, secret } = await enrol(host, ann)
  const browser = browserOf(host)
  const cookie = cookieOf(await passFirstStep(browser, ann).expect(200))
  return { browser, code, secret, cookie }
}

describe('a request that the host has answered while a store was slow', () => {
  it('does not go on behind the guard', async () => {
    const { host, happened, timeOutAt } = hostThatGivesUp()
    const { browser, code } = await pendingBrowser(host)
    await giveCode(browser, code()).expect(200)
    timeOutAt('record')
    await postJson(browser, '/asked?slow', {}).expect(503)
    await settled()
    expect(happened).to.deep.equal([])
    await postJson(browser, '/asked', {}).expect(200)
    expect(happened).to.deep.equal(['reached'])
  })

  for (const part of ['record', 'session'] as const) {
    it(`is led to no challenge: ${part}`, async () => {
      const { host, happened, timeOutAt } = hostThatGivesUp()
      const { browser } = await pendingBrowser(host)
      timeOutAt(part)
      await getPage(browser, '/asked?slow').expect(503)
      await settled()
      expect(happened).to.deep.equal([])
    })
  }

  it('does not go on where "remember me" signs in once more', async () => {
    const { host, happened, timeOutAt } = hostThatGivesUp({
      mountFirst: ({ app }) => {
        app.use('/second-step', (req, _res, next) => {
          if (req.query.slow === undefined) next()
          else {
            timeOutAt('record')
            req.logIn(ann, (error) => next(error))
          }
        })
        app.use('/second-step/challenge', (req, _res, next) => {
          if (req.query.slow !== undefined) happened.push('reached')
          next()
        })
      },
    })
    const { browser } = await pendingBrowser(host)
    await postJson(browser, '/second-step/challenge?slow', {}).expect(503)
    await settled(() => happened.length > 0)
    expect(happened).to.have.length(1)
    expect(happened[0]).to.include('the response was sent before the login was done')
  })
})

describe('the strategy, once the host has answered while a store was slow', () => {
  for (const [what, isRight] of Object.entries({ 'a wrong code': false, 'a right code': true })) {
    it(`ends without a second answer or an error: ${what}`, async () => {
      const { host, happened, timeOutAt } = hostThatGivesUp()
      const { browser, code, secret } = await pendingBrowser(host)
      timeOutAt('write')
      const given = isRight ? code() : wrongCodeOf(host, { secret })
      await postJson(browser, '/my-code?slow', { code: given }).expect(503)
      await settled()
      expect(happened).to.deep.equal([])
      await getJson(browser, '/inside').expect(401)
    })
  }
})

describe('a route of ours that the host has answered while a store was slow', () => {
  type Ask = (browser: Browser, path: string, body: object) => PromiseLike<unknown>
  const faces: Readonly<Record<string, Ask>> = {
    'as JSON': (browser, path, body) => postJson(browser, path, body).expect(503),
    'as a page': (browser, path, body) => postForm(browser, path, body).expect(503),
  }
  for (const [face, ask] of Object.entries(faces)) {
    it(`sends no refusal after that, and passes no error on: ${face}`, async () => {
      const { host, happened, timeOutAt } = hostThatGivesUp()
      const { browser, secret } = await pendingBrowser(host)
      timeOutAt('write')
      await ask(browser, '/second-step/challenge?slow', { code: wrongCodeOf(host, { secret }) })
      await settled()
      expect(happened).to.deep.equal([])
    })

    it(`signs nobody in after that, and tells the operator: ${face}`, async () => {
      const { host, happened, timeOutAt } = hostThatGivesUp()
      const { browser, code } = await pendingBrowser(host)
      timeOutAt('write')
      const told = await warningsDuring(async (soFar) => {
        await ask(browser, '/second-step/challenge?slow', { code: code() })
        await settled(() => soFar().length > 0)
      })
      expect(happened).to.deep.equal([])
      expect(told.join()).to.include('the response was sent before the login was done')
      await getJson(browser, '/inside').expect(401)
    })

    it(`sends no page of a set-up after that: ${face}`, async () => {
      const { host, happened, timeOutAt } = hostThatGivesUp()
      await setPolicy(host, { mode: 'required' })
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      timeOutAt('write')
      const look = face === 'as JSON' ? getJson : getPage
      await look(browser, '/second-step/setup?slow').expect(503)
      await settled()
      expect(happened).to.deep.equal([])
    })
  }

  it('passes no failure of a store on, and tells the operator', async () => {
    const { host, happened, timeOutAt } = hostThatGivesUp()
    const { browser, secret } = await pendingBrowser(host)
    host.store.write = () => Promise.reject(new Error('away'))
    timeOutAt('write')
    const told = await warningsDuring(async () => {
      await postJson(browser, '/second-step/challenge?slow', {
        code: wrongCodeOf(host, { secret }),
      })
      await settled()
    })
    expect(happened).to.deep.equal([])
    expect(told.join()).to.include('away')
  })

  it('decides nothing if that was before the end of the body', async () => {
    const { host, happened, giveUp } = hostThatGivesUp()
    const { browser, code, cookie } = await pendingBrowser(host)
    const before = await recordOf(host)
    const given = { code: code() }
    const parked = await park(host, '/second-step/challenge?slow', { cookie, like: given })
    giveUp()
    await parked.finish(given)
    await settled()
    expect(happened).to.deep.equal([])
    expect(await recordOf(host)).to.deep.equal(before)
    await giveCode(browser, given.code).expect(200)
  })
})
