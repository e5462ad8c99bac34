// The attack: somebody in a session with a fresh code sends the header of a payment and holds its body
// back. The owner notices and ends everything; then the body comes.

import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import express, { type Request } from 'express'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, useCookie } from '../../support/sessions.js'
import { setPolicy, signedInVisit } from '../../support/visits.js'

/** Payments by every way to mount, and those that were made. */
function bank() {
  const made: unknown[] = []
  const pay = (req: Request, how: unknown = req.body) => void made.push(how)
  const options: HostOptions = {
    mount: ({ app, secondStep }) => {
      const fresh = secondStep.requireFresh()
      app.post('/parsed-behind', fresh, express.json(), (req, res) => {
        pay(req)
        res.json({ status: 'done' })
      })
      app.post('/streamed', fresh, async (req, res) => {
        const chunks: Buffer[] = []
        for await (const chunk of req) chunks.push(chunk)
        pay(req, Buffer.concat(chunks).length)
        res.json({ status: 'done' })
      })
      app.post('/stored', fresh, async (req, res) => {
        let length = 0
        const file = new Writable({
          write(chunk: Buffer, _encoding, written) {
            length += chunk.length
            written()
          },
        })
        await pipeline(req, file)
        pay(req, length)
        res.json({ status: 'done' })
      })
      app.use('/below', fresh)
      app.post('/below/here', express.json(), (req, res) => {
        pay(req)
        res.json({ status: 'done' })
      })
      const pass = secondStep.requireFresh({ notEnrolled: 'pass' })
      app.post('/profile', pass, express.json(), (req, res) => {
        pay(req)
        res.json({ status: 'done' })
      })
      app.post('/unread', fresh, (_req, res) => res.json({ status: 'done' }))
      app.get('/seen', fresh, (_req, res) => res.json({ status: 'seen' }))
    },
    routes: ({ app, secondStep }) => {
      app.post('/parsed-before', secondStep.requireFresh(), (req, res) => {
        pay(req)
        res.json({ status: 'done' })
      })
    },
  }
  return { made, options }
}

interface Thief {
  readonly host: Host
  readonly browser: Browser
  readonly cookie: string
  readonly made: readonly unknown[]
  readonly enrolment: Enrolment
}

async function signedIn(given?: HostOptions): Promise<Thief> {
  const { made, options } = bank()
  const host = makeHost(given ?? options)
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(200)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  host.system.advance(30 * SECOND)
  return { host, browser, cookie, made, enrolment }
}

const DOORS = ['/parsed-before', '/parsed-behind', '/streamed', '/stored', '/below/here']
const body = { to: 'the thief', amount: 1000 }

const ENDINGS: Record<string, (thief: Thief) => Promise<unknown>> = {
  'endSessions()': ({ host }) => host.secondStep.endSessions('ann'),
  'its log-out': ({ host, cookie }) =>
    useCookie(browserOf(host), cookie).post('/logout').expect(200),
  'a changed password': ({ host }) => host.secondStep.passwordChanged('ann'),
  'a set-up elsewhere': async ({ host, enrolment }) => {
    const owner = browserOf(host)
    host.system.advance(30 * SECOND)
    await passFirstStep(owner, ann).expect(200)
    await giveCode(owner, enrolment.code()).expect(200)
    host.system.advance(30 * SECOND)
    await postJson(owner, '/second-step/reset', { code: enrolment.code() }).expect(200)
  },
}

describe('a payment behind requireFresh() whose body is held back', () => {
  for (const door of DOORS) {
    it(`is made where nothing happens meanwhile: ${door}`, async () => {
      const { host, cookie, made } = await signedIn()
      const parked = await park(host, door, { cookie, like: body })
      expect((await parked.finish(body)).status).to.equal(200)
      expect(made).to.have.length(1)
    })

    for (const [name, end] of Object.entries(ENDINGS)) {
      it(`is not made after ${name}: ${door}`, async () => {
        const thief = await signedIn()
        const parked = await park(thief.host, door, { cookie: thief.cookie, like: body })
        await end(thief)
        const answer = await parked.finish(body)
        expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
        expect(thief.made).to.deep.equal([])
      })
    }

    it(`is not made once the code is older than five minutes: ${door}`, async () => {
      const { host, cookie, made } = await signedIn()
      const parked = await park(host, door, { cookie, like: body })
      host.system.advance(5 * MINUTE)
      const answer = await parked.finish(body)
      expect([answer.status, answer.body.code]).to.deep.equal([403, 'fresh-code-required'])
      expect(made).to.deep.equal([])
    })

    it(`is not made where nobody can say any more, and the failure is told: ${door}`, async () => {
      const { host, cookie, made } = await signedIn()
      const parked = await park(host, door, { cookie, like: body })
      host.store.find = () => Promise.reject(new Error('gone'))
      expect((await parked.finish(body)).status).to.equal(503)
      expect(made).to.deep.equal([])
    })
  }

  it('is not made by somebody without a second step once one is required of everybody', async () => {
    const { made, options } = bank()
    const host = makeHost(options)
    const browser = browserOf(host)
    const cookie = cookieOf(await passFirstStep(browser, ann).expect(302))
    const parked = await park(host, '/profile', { cookie, like: body })
    await setPolicy(host, { mode: 'required', graceDays: 0 })
    const answer = await parked.finish(body)
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'setup-required'])
    expect(made).to.deep.equal([])
  })

  it('is refused on a page where a form was sent', async () => {
    const { host, cookie, made } = await signedIn()
    const parked = await park(host, '/streamed', { cookie, like: body, accept: HTML })
    await host.secondStep.endSessions('ann')
    const { status, text } = await parked.finish(body)
    expect(status).to.equal(401)
    expect(text).to.include('<html')
    expect(made).to.deep.equal([])
  })
})

describe('a request behind requireFresh()', () => {
  /** Counts what is read of the record. */
  function looksAt({ store }: Host): { times: number } {
    const looks = { times: 0 }
    const { find } = store
    store.find = (userId) => {
      looks.times += 1
      return find(userId)
    }
    return looks
  }

  it('costs one look more where its body came after the guard had looked', async () => {
    for (const door of DOORS) {
      const { host, cookie, made } = await signedIn()
      const looks = looksAt(host)
      const parked = await park(host, door, { cookie, like: body })
      expect(looks.times).to.equal(1)
      expect((await parked.finish(body)).status).to.equal(200)
      expect(looks.times, door).to.equal(2)
      expect(made).to.have.length(1)
    }
  })

  it('costs no look more without a body, or where the body was there before', async () => {
    const { made, options } = bank()
    const { host, browser } = await signedInVisit(options)
    const looks = looksAt(host)
    await getJson(browser, '/seen').expect(200)
    await browser.post('/unread').set('Accept', JSON_TYPE).expect(200)
    expect(looks.times).to.equal(2)

    const early = await signedInVisit({
      beforeGuard: ({ app }) => app.use(express.json()),
      routes: ({ app, secondStep }) => {
        app.post('/payout', secondStep.requireFresh(), (req, res) => res.json(req.body))
      },
    })
    const looksEarly = looksAt(early.host)
    await postJson(early.browser, '/payout', body).expect(200, body)
    expect(looksEarly.times).to.equal(1)
    expect(made).to.deep.equal([])
  })

  it('may be large, in pieces, and followed by others on the same connection', async () => {
    const { host, cookie, made } = await signedIn()
    const server = http.createServer(host.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const send = async (path: string, chunks: readonly Buffer[]) => {
      const headers = { Cookie: cookie, Accept: JSON_TYPE, 'Content-Type': 'application/pdf' }
      const options = { port, host: '127.0.0.1', method: 'POST', path, agent, headers }
      const request = http.request(options)
      for (const chunk of chunks) request.write(chunk)
      request.end()
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      await response.toArray()
      return response.statusCode
    }
    const megabyte = Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'a'))
    expect(await send('/streamed', megabyte)).to.equal(200)
    expect(await send('/stored', megabyte)).to.equal(200)
    expect(await send('/unread', megabyte)).to.equal(200)
    expect(await send('/streamed', [Buffer.from('a')])).to.equal(200)
    expect(made).to.deep.equal([1_048_576, 1_048_576, 1])
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })

  it('that is refused lets go of what reads it: no file stays open for ever', async () => {
    let letGo = (_closed: boolean) => {}
    const failed = new Promise<boolean>((resolve) => {
      letGo = resolve
    })
    const { host, browser, cookie } = await signedIn({
      mount: ({ app, secondStep }) => {
        app.post('/upload', secondStep.requireFresh(), (req, res) => {
          const file = new Writable({ write: (_piece, _encoding, written) => written() })
          pipeline(req, file).then(
            () => res.json({ status: 'done' }),
            () => letGo(file.destroyed),
          )
        })
      },
    })
    const parked = await park(host, '/upload', { cookie, like: body })
    await host.secondStep.endSessions('ann')
    expect((await parked.finish(body)).status).to.equal(401)
    expect(await failed).to.equal(true)
    expectProblem(await getJson(browser, '/second-step/'), 'not-signed-in', 401)
  })
})
