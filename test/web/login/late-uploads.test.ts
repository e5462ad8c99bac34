// A look at the record before every piece of a late body must neither break, slow down nor bloat an
// upload: pieces keep their order, few are held at a time, and an upload that ends anyhow leaves nothing.

import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { cookieOf, useCookie } from '../../support/sessions.js'

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A host with this handler behind `requireFresh()`, and a connection to it. */
async function hostOf(handler: RequestHandler) {
  const host = makeHost({
    mount: ({ app, secondStep }) => {
      app.post('/upload', secondStep.requireFresh(), handler)
      app.post('/pay', secondStep.requireFresh(), express.json(), (req, res) => res.json(req.body))
    },
  })
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(200)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  return { host, cookie, browser: useCookie(browserOf(host), cookie) }
}

/** Sends the header of an upload. The handler runs when this resolves. */
async function begin(
  { host, cookie }: { host: Host; cookie: string },
  runs: Promise<unknown>,
  headers: http.OutgoingHttpHeaders = {},
) {
  const server = http.createServer(host.app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const request = http.request({
    ...{ port, host: '127.0.0.1', method: 'POST', path: '/upload' },
    headers: { Cookie: cookie, Accept: 'application/json', ...headers },
  })
  request.on('error', () => undefined)
  const response = once(request, 'response').then(([answer]) => answer as http.IncomingMessage)
  const arrived = once(server, 'request') as Promise<[http.IncomingMessage]>
  request.flushHeaders()
  const [received] = await arrived
  await runs
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { request, received, response, close }
}

function signal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { give, given }
}

/** Looks at the record wait until they are let on. */
function holdLooks({ store }: Host) {
  const { find } = store
  const waits = signal()
  const goOn = signal()
  const looks = { times: 0 }
  store.find = async (userId) => {
    looks.times += 1
    waits.give()
    await goOn.given
    return find(userId)
  }
  return { looks, waits: waits.given, letOn: goOn.give }
}

async function askOften(browser: Browser): Promise<void> {
  for (let i = 0; i < 10; i += 1) await getJson(browser, '/').catch(() => undefined)
}

/** Also where an error comes before it. */
const closed = (received: http.IncomingMessage) =>
  new Promise<void>((resolve) => received.once('close', resolve))

const written = (request: http.ClientRequest, piece: Buffer) =>
  new Promise<void>((resolve) => request.write(piece, () => resolve()))

/** A handler that stores the body at the speed of its reader. */
function storing(slowly: boolean) {
  const running = signal()
  const stored: Buffer[] = []
  const failed: Error[] = []
  const done = signal()
  const handler: RequestHandler = (req, res) => {
    running.give()
    const file = new Writable({
      write(piece: Buffer, _encoding, next) {
        stored.push(piece)
        if (slowly) setImmediate(next)
        else next()
      },
    })
    pipeline(req, file)
      .then(
        () => void res.json({ status: 'done' }),
        (error) => void failed.push(error),
      )
      .finally(done.give)
  }
  return { handler, stored, failed, running: running.given, done: done.given }
}

describe('an upload behind requireFresh()', () => {
  it('costs no look but the guard’s where a small body comes along with the header', async () => {
    const { host, browser } = await hostOf((_req, res) => res.end())
    const { find } = host.store
    let looks = 0
    host.store.find = (userId) => {
      looks += 1
      return find(userId)
    }
    await postJson(browser, '/pay', { to: 'bob' }).expect(200, { to: 'bob' })
    expect(looks).to.equal(1)
  })

  for (const slowly of [false, true]) {
    it(`arrives as it was sent, at a ${slowly ? 'slow' : 'fast'} reader`, async () => {
      const { handler, stored, running } = storing(slowly)
      const world = await hostOf(handler)
      const { request, response, close } = await begin(world, running)
      const bytes = randomBytes(4_000_000)
      for (let at = 0; at < bytes.length; at += 70_001) {
        request.write(bytes.subarray(at, at + 70_001))
      }
      request.end()
      expect((await response).statusCode).to.equal(200)
      expect(hashOf(Buffer.concat(stored))).to.equal(hashOf(bytes))
      close()
    })
  }

  it('costs one look for all that came during another', async () => {
    const { handler, stored, running } = storing(false)
    const world = await hostOf(handler)
    const { request, response, close } = await begin(world, running)
    const { looks, waits, letOn } = holdLooks(world.host)
    request.write(Buffer.from('a'))
    await waits
    for (let i = 0; i < 20; i += 1) await written(request, Buffer.from('b'))
    await new Promise<void>((resolve) => request.end(resolve))
    letOn()
    expect((await response).statusCode).to.equal(200)
    expect(Buffer.concat(stored).toString()).to.equal(`a${'b'.repeat(20)}`)
    expect(looks.times).to.equal(2)
    close()
  })

  it('takes up little memory while a look is slow', async () => {
    const { handler, stored, running } = storing(false)
    const world = await hostOf(handler)
    const { request, received, response, close } = await begin(world, running)
    const { waits, letOn } = holdLooks(world.host)
    const bytes = Buffer.alloc(20_000_000, 'a')
    request.end(bytes)
    await waits
    // Nobody is signed in here, so that no look holds these.
    await askOften(browserOf(world.host))
    expect(received.socket.bytesRead).to.be.below(400_000)
    letOn()
    expect((await response).statusCode).to.equal(200)
    expect(Buffer.concat(stored)).to.have.length(bytes.length)
    close()
  })

  it('may ask first whether it may send the body (Expect: 100-continue)', async () => {
    const { handler, stored, running } = storing(false)
    const world = await hostOf(handler)
    const length = 5
    const headers = { Expect: '100-continue', 'Content-Length': length }
    const { request, response, close } = await begin(world, running, headers)
    // Node has said it before the handler runs.
    request.end(Buffer.alloc(length))
    expect((await response).statusCode).to.equal(200)
    expect(Buffer.concat(stored)).to.have.length(length)
    close()
  })

  it('that the client gives up during a look reaches no reader, and ends no process', async () => {
    const { handler, stored, failed, running, done } = storing(false)
    const world = await hostOf(handler)
    const { request, received, response, close } = await begin(world, running)
    response.catch(() => undefined)
    const { waits, letOn } = holdLooks(world.host)
    request.write(Buffer.from('a'))
    await waits
    const gone = closed(received)
    request.destroy()
    await gone
    letOn()
    await done
    await askOften(world.browser)
    expect(stored).to.deep.equal([])
    expect(failed).to.have.length(1)
    await postJson(world.browser, '/pay', { to: 'bob' }).expect(200)
    close()
  })

  it('may be answered piece by piece, also during a look', async () => {
    const running = signal()
    const first = signal()
    const world = await hostOf(async (req, res) => {
      running.give()
      for await (const piece of req) {
        await first.given
        res.write(piece)
      }
      res.end()
    })
    const { request, response, close } = await begin(world, running.given)
    await written(request, Buffer.from('a'))
    // The answer begins while the second piece waits for its look.
    const second = new Promise<void>((resolve) => {
      const { find } = world.host.store
      let times = 0
      world.host.store.find = async (userId) => {
        times += 1
        if (times === 2) {
          resolve()
          first.give()
          await response
        }
        if (times === 1) request.end('b')
        return find(userId)
      }
    })
    await second
    const answer = await response
    expect(Buffer.concat(await answer.toArray()).toString()).to.equal('ab')
    close()
  })

  it('that is refused in the middle is broken off where its answer has begun', async () => {
    const running = signal()
    const read: string[] = []
    const world = await hostOf(async (req, res) => {
      running.give()
      res.write('begun')
      for await (const piece of req) read.push(String(piece))
    })
    const { request, received, response, close } = await begin(world, running.given)
    const answer = await response
    await world.host.secondStep.endSessions('ann')
    const gone = closed(received)
    request.write('a')
    await gone
    expect(await answer.toArray().catch((error) => error)).to.be.an('error')
    expect(read).to.deep.equal([])
    close()
  })

  it('that is refused in the middle is read to its end, so that its client gets the answer', async () => {
    const { handler, stored, failed, running, done } = storing(true)
    const world = await hostOf(handler)
    const { request, response, close } = await begin(world, running)
    await world.host.secondStep.endSessions('ann')
    request.end(Buffer.alloc(20_000_000))
    expect((await response).statusCode).to.equal(401)
    await done
    expect(stored).to.deep.equal([])
    expect(failed).to.have.length(1)
    close()
  })
})
