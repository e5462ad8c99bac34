import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { browserOf, enrol, JSON_TYPE, passFirstStep, signIn } from '../../support/browser.js'
import { ann, type Host, makeHost } from '../../support/host.js'

/** A store that counts how often a record is read. */
function countingStore(): { store: RecordStore; reads: () => number } {
  const inner = memoryStore()
  let reads = 0
  const find: RecordStore['find'] = (userId) => {
    reads += 1
    return inner.find(userId)
  }
  return { store: { ...inner, find }, reads: () => reads }
}

/** A host whose `/staff` signs in its own user and mounts the guard afterwards. */
function hostWithStaff(store: RecordStore): Host {
  const bringAnn: RequestHandler = (req, _res, next) => {
    Reflect.set(req, 'user', ann)
    next()
  }
  return makeHost({
    options: { store },
    routes: ({ app, secondStep }) => {
      const answer: RequestHandler = (req, res) => {
        res.json({ user: req.isAuthenticated(), status: req.secondStep?.status })
      }
      app.get('/twice', secondStep.guard(), answer)
      app.get('/staff', bringAnn, secondStep.guard(), answer)
    },
  })
}

describe('a guard that is mounted again on a sub-router', () => {
  it('removes a user whom that router signed in without the second step', async () => {
    // A second session() or a header signs somebody in after the first guard has looked.
    const { store } = countingStore()
    const host = hostWithStaff(store)
    await enrol(host, ann)
    const answer = await browserOf(host).get('/staff').set('Accept', JSON_TYPE)
    expect(answer.body).to.deep.equal({ user: false, status: 'none' })
  })

  it('lets an already checked user through without another read', async () => {
    const { store, reads } = countingStore()
    const host = hostWithStaff(store)
    const browser = browserOf(host)
    await signIn(browser, ann, await enrol(host, ann))
    const before = reads()
    await browser.get('/twice').expect(200, { user: true, status: 'verified' })
    expect(reads() - before).to.equal(1)
  })

  it('passes on anonymous and pending visitors', async () => {
    const { store } = countingStore()
    const host = hostWithStaff(store)
    await enrol(host, ann)
    const browser = browserOf(host)
    await browser.get('/twice').expect(200, { user: false, status: 'none' })
    await passFirstStep(browser, ann)
    await browser
      .get('/twice')
      .set('Accept', JSON_TYPE)
      .expect(200, { user: false, status: 'code-required' })
  })
})
