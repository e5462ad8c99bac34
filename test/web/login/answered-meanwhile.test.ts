// The mistake: a store is slow, the host's own time-out answers, and the request goes on all the same. What
// the visitor was told has failed is then done, and a second answer is an error that ends in the host's log.

import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import { getPage, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'

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
    routes: ({ app }) => {
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
    timeOutAt(part: 'record' | 'session') {
      if (part === 'record') {
        const find = host.store.find.bind(host.store)
        host.store.find = async (id) => {
          giveUp?.()
          giveUp = null
          return find(id)
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

/** What is left of the request runs at once. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function pendingBrowser(host: Host) {
  const { code } = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(200)
  return { browser, code }
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
    await settled()
    expect(happened).to.have.length(1)
    expect(happened[0]).to.include('the response was sent before the login was done')
  })
})
