// The attack: somebody in a session with a fresh code sends the header of a payment. The owner ends
// everything; then the body comes without its last byte. Some parsers take it for whole already: zlib
// ends at the first byte behind the packed data, and parsers of multipart at the closing boundary.

import { expect } from 'chai'
import express from 'express'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { EARLY_ENDS, type EarlyEnd, LAST_BYTE } from '../../support/early-end.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { type ParkedAnswer, park } from '../../support/parked.js'
import { cookieOf } from '../../support/sessions.js'

const PAYMENT = { to: 'eve', amount: 1000 }
const DOORS = ['/behind', '/before', '/between'] as const

async function bank({ parser }: EarlyEnd) {
  const made: unknown[] = []
  const host = makeHost({
    mount: ({ app, secondStep }) => {
      const fresh = secondStep.requireFresh()
      const doors = {
        '/behind': [fresh, parser],
        '/before': [parser, fresh],
        '/between': [fresh, parser, fresh],
      }
      for (const door of DOORS) {
        app.post(door, ...doors[door], (req, res) => {
          made.push(req.body)
          res.json({ status: 'done' })
        })
      }
    },
  })
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(200)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  return { host, cookie, made }
}

/** The next look at the record, whatever it finds. */
function nextLook({ store }: Host): Promise<void> {
  return new Promise((resolve) => {
    const { find } = store
    store.find = (userId) => {
      store.find = find
      return find(userId).finally(resolve)
    }
  })
}

const ENDINGS: Record<string, [(host: Host) => unknown, status: number]> = {
  'the sessions were ended': [(host) => host.secondStep.endSessions('ann'), 401],
  'the code is too old': [(host) => host.system.advance(5 * MINUTE), 403],
  'nobody can say any more': [
    ({ store }) => {
      store.find = () => Promise.reject(new Error('gone'))
    },
    503,
  ],
}

for (const [name, way] of Object.entries(EARLY_ENDS)) {
  describe(`a payment whose parser ends before its body: ${name}`, () => {
    const headers = way.headers
    const enough = way.enough(PAYMENT)
    const like = Buffer.concat([enough, LAST_BYTE])

    for (const door of DOORS) {
      it(`is made without the last byte where nothing happens meanwhile: ${door}`, async () => {
        const { host, cookie, made } = await bank(way)
        const parked = await park(host, door, { cookie, like, headers })
        parked.write(enough)
        expect((await parked.answer).status).to.equal(200)
        expect(made).to.deep.equal([PAYMENT])
      })

      for (const [ending, [end, status]] of Object.entries(ENDINGS)) {
        it(`is not made where ${ending}: ${door}`, async () => {
          const { host, cookie, made } = await bank(way)
          const parked = await park(host, door, { cookie, like, headers })
          await end(host)
          const looked = nextLook(host)
          parked.write(enough)
          await Promise.race([looked, parked.answer])
          expect(made).to.deep.equal([])
          const answer: ParkedAnswer = await parked.finish(LAST_BYTE)
          expect(answer.status).to.equal(status)
          expect(made).to.deep.equal([])
        })
      }
    }
  })
}

describe('a host without our error handler', () => {
  it('answers 503 to a late body where nobody can say who sends it', async () => {
    const inner = express().set('env', 'test')
    const host = makeHost({
      mount: ({ app, secondStep }) => {
        inner.post('/pay', secondStep.requireFresh(), express.json(), (_req, res) => res.end())
        app.use('/inner', (req, res) => inner(req, res))
      },
    })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const parked = await park(host, '/inner/pay', { cookie, like: PAYMENT })
    host.store.find = () => Promise.reject(new Error('gone'))
    expect((await parked.finish(PAYMENT)).status).to.equal(503)
  })
})

describe('two requireFresh() on the way to one route', () => {
  it('answer 503 where one look of the second fails, and do not hang', async () => {
    const host = makeHost({
      mount: ({ app, secondStep }) => {
        const fresh = secondStep.requireFresh()
        app.post('/pay', fresh, fresh, express.json(), (_req, res) => res.json({}))
      },
    })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
    const body = JSON.stringify(PAYMENT)
    const parked = await park(host, '/pay', { cookie, like: PAYMENT })
    const { find } = host.store
    let looks = 0
    const looked: (() => void)[] = []
    const look = (number: number) =>
      new Promise<void>((resolve) => {
        looked[number] = () => setImmediate(() => setImmediate(resolve))
      })
    host.store.find = (userId) => {
      looks += 1
      looked[looks]?.()
      return looks === 2 ? Promise.reject(new Error('a moment')) : find(userId)
    }
    const [second, third] = [look(2), look(3)]
    parked.write(Buffer.from(body.slice(0, 5)))
    await second
    parked.write(Buffer.from(body.slice(5, 10)))
    await third
    expect((await parked.finish(Buffer.from(body.slice(10)))).status).to.equal(503)
  })
})
