// The attack: another login takes the place of a session in the same browser. A request that was held
// back in the old session must not act for its user any more, and the session that it saves must be dead.

import { expect } from 'chai'
import express from 'express'
import type { AnnouncedEvent } from '../../../lib/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, giveCode, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, type HostParts, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, slowRequest, useCookie } from '../../support/sessions.js'
import { enrolledVisit, recordOf, setPolicy } from '../../support/visits.js'

/** Ann has passed both steps, at a host with a route that needs a fresh code. */
async function annIsIn() {
  const { host, enrolment } = await enrolledVisit({
    mount: ({ app, secondStep }) =>
      void app.post('/pay', secondStep.requireFresh(), express.json(), (_req, res) => {
        res.json({})
      }),
  })
  const cookie = cookieOf(await passFirstStep(browserOf(host), ann))
  const second = await giveCode(useCookie(browserOf(host), cookie), enrolment.code()).expect(200)
  return { host, enrolment, cookie: cookieOf(second) }
}

/** What the store is asked for while this runs. */
async function callsOf({ store }: Host, run: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = []
  const { find, write } = store
  store.find = (userId) => {
    calls.push(`find ${userId}`)
    return find(userId)
  }
  store.write = (record, version) => {
    calls.push(`write ${record.userId}`)
    return write(record, version)
  }
  await run()
  Object.assign(store, { find, write })
  return calls
}

/** Middleware in front of the guard that signs ann in. */
function rememberAnn({ app }: HostParts): void {
  app.use((req, _res, next) => {
    if (req.get('x-remembered') === undefined) next()
    else req.logIn(ann, next)
  })
}

/** What fails while a login is met, and how it is mended. */
const failing: Readonly<Record<string, (host: Host) => () => void>> = {
  'the record store': ({ store }) => {
    const { find } = store
    store.find = (id) => (id === 'ann' ? Promise.reject(new Error('gone')) : find(id))
    return () => Object.assign(store, { find })
  },
  'the session store': ({ sessions }) => {
    const { set } = sessions
    // Passport's own save comes first, and holds nothing of ours.
    sessions.set = (id, session, done) => {
      if (session.secondStep === undefined) set.call(sessions, id, session, done)
      else done?.(new Error('gone'))
    }
    return () => Object.assign(sessions, { set })
  },
}

describe('a session over which another user signs in', () => {
  it('is over for a parked request, and dead where it is written back', async () => {
    const { host, cookie } = await annIsIn()
    const heard: AnnouncedEvent[] = []
    host.secondStep.events.on('event', (event) => heard.push(event))
    const pay = await park(host, '/pay', { cookie, like: { a: 1 } })
    const slow = slowRequest(host, cookie)
    const answer = await passFirstStep(useCookie(browserOf(host), cookie), bob).expect(302)
    expect((await pay.finish({ a: 1 })).status).to.equal(401)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
    const inside = await getJson(useCookie(browserOf(host), cookieOf(answer)), '/inside')
    expect(inside.body.user).to.equal('bob')
    expect(heard.map(({ type, user }) => [type, user])).to.deep.equal([['logged-out', 'ann']])
  })

  it('is over where that user needs a code first', async () => {
    const { host } = await annIsIn()
    const cookie = cookieOf(await passFirstStep(browserOf(host), bob).expect(302))
    const slow = slowRequest(host, cookie)
    await passFirstStep(useCookie(browserOf(host), cookie), ann).expect(200)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })

  it('is over where middleware in front of the guard signs that user in', async () => {
    const host = makeHost({ beforeGuard: rememberAnn })
    const cookie = cookieOf(await passFirstStep(browserOf(host), bob).expect(302))
    const slow = slowRequest(host, cookie)
    const browser = useCookie(browserOf(host), cookie)
    await getJson(browser, '/inside').set('X-Remembered', 'ann').expect(200)
    slow.writeBack()
    await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
  })

  for (const [store, fail] of Object.entries(failing)) {
    it(`is over where ${store} fails at that user's login in front of the guard`, async () => {
      const host = makeHost({ beforeGuard: rememberAnn })
      const cookie = cookieOf(await passFirstStep(browserOf(host), bob).expect(302))
      const slow = slowRequest(host, cookie)
      await setPolicy(host, { mode: 'required', graceDays: 0 })
      const mend = fail(host)
      const browser = useCookie(browserOf(host), cookie)
      await getJson(browser, '/inside').set('X-Remembered', 'ann').expect(503)
      mend()
      await setPolicy(host, { mode: 'optional' })
      slow.writeBack()
      await getJson(useCookie(browserOf(host), cookie), '/inside').expect(401)
    })
  }

  it('stays as it is where that login fails', async () => {
    const { host, cookie } = await annIsIn()
    const { write } = host.store
    host.store.write = () => Promise.reject(new Error('gone'))
    const browser = useCookie(browserOf(host), cookie)
    await passFirstStep(browser, bob).expect(503)
    host.store.write = write
    const inside = await getJson(useCookie(browserOf(host), cookie), '/inside').expect(200)
    expect(inside.body.user).to.equal('ann')
  })
})

describe('a login', () => {
  it('of the same user again ends nothing', async () => {
    const { host, cookie } = await annIsIn()
    const answer = await passFirstStep(useCookie(browserOf(host), cookie), ann).expect(302)
    await getJson(useCookie(browserOf(host), cookieOf(answer)), '/inside').expect(200)
    expect((await recordOf(host)).ended).to.deep.equal([])
  })

  it('without an earlier session costs no trip to the store', async () => {
    const host = makeHost()
    const calls = await callsOf(host, async () => {
      await passFirstStep(browserOf(host), bob).expect(302)
    })
    expect(calls).to.deep.equal(['find bob'])
  })

  it('in two steps writes the record once', async () => {
    const { host, enrolment } = await enrolledVisit()
    const browser = browserOf(host)
    const calls = await callsOf(host, async () => {
      await passFirstStep(browser, ann).expect(200)
      await giveCode(browser, enrolment.code()).expect(200)
    })
    expect(calls.filter((call) => call.startsWith('write'))).to.deep.equal(['write ann'])
  })

  it('ends the pending login of another user whose place it takes', async () => {
    const { host, enrolment } = await enrolledVisit()
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(200))
    const slow = slowRequest(host, cookie)
    await passFirstStep(useCookie(browserOf(host), cookie), bob).expect(302)
    slow.writeBack()
    const thief = useCookie(browserOf(host), cookie)
    await giveCode(thief, enrolment.code()).expect(401)
    await postJson(thief, '/second-step/cancel').set('Accept', JSON_TYPE).expect(200)
  })
})
