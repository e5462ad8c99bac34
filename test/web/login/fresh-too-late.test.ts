// A payment that the host has given up by a time-out of its own must not be made afterwards: the client
// was told that it failed, and tries again.

import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { expectProblem, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { movedSystem } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf, useCookie } from '../../support/sessions.js'

/** A bank whose own time-out comes while `requireFresh()` looks again, once the body is there. */
async function impatientBank() {
  const paid: unknown[] = []
  let timeOut = () => {}
  let isWaiting = () => {}
  const waits = new Promise<void>((resolve) => {
    isWaiting = resolve
  })
  const host = makeHost({
    mount: ({ app, secondStep }) => {
      app.post(
        ['/parsed-behind', '/parsed-before'],
        (_req, res, next) => {
          timeOut = () => void res.status(503).json({ said: 'too slow' })
          next()
        },
        (req, res, next) =>
          req.path === '/parsed-before' ? express.json()(req, res, next) : next(),
        secondStep.requireFresh(),
        (_req, _res, next) => {
          isWaiting()
          next()
        },
        express.json(),
        (req, res) => {
          paid.push(req.body)
          if (!res.headersSent) res.json({ status: 'done' })
        },
      )
    },
  })
  const enrolment = await enrol(host, ann)
  const cookie = cookieOf(await passFirstStep(browserOf(host), ann))
  const browser = useCookie(browserOf(host), cookie)
  const signedIn = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  /** The next look at the record finds that the host has answered meanwhile. */
  const giveUpAtNextLook = () => {
    const { find } = host.store
    host.store.find = async (id) => {
      host.store.find = find
      const record = await find(id)
      timeOut()
      return record
    }
  }
  return {
    host,
    paid,
    cookie: signedIn,
    giveUpAtNextLook,
    timeOutNow: () => timeOut(),
    waiting: () => waits,
  }
}

describe('a route with requireFresh() that the host has given up', () => {
  it('does nothing where the body came after the guard had looked', async () => {
    const { host, paid, cookie, giveUpAtNextLook } = await impatientBank()
    const parked = await park(host, '/parsed-behind', { cookie, like: { to: 'eve' } })
    giveUpAtNextLook()
    const answer = await parked.finish({ to: 'eve' })
    expect(answer.status).to.equal(503)
    expect(paid).to.deep.equal([])
  })

  it('does nothing where it was given up before the body came, whatever was revoked meanwhile', async () => {
    const { host, paid, cookie, timeOutNow, waiting } = await impatientBank()
    const server = http.createServer(host.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const body = JSON.stringify({ to: 'eve' })
    const headers = {
      ...{ Cookie: cookie, Accept: JSON_TYPE, 'Content-Type': JSON_TYPE },
      'Content-Length': body.length,
    }
    const path = '/parsed-behind'
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path, headers })
    request.on('error', () => undefined)
    const arrived = once(server, 'request') as Promise<[http.IncomingMessage]>
    request.flushHeaders()
    const [received] = await arrived
    await waiting()
    timeOutNow()
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    expect(response.statusCode).to.equal(503)
    await host.secondStep.endSessions('ann')
    const gone = once(received, 'close')
    request.end(body)
    await gone
    server.closeAllConnections()
    server.close()
    expect(paid).to.deep.equal([])
  })

  it('does nothing where the body was there before it looked', async () => {
    const { host, paid, cookie, giveUpAtNextLook } = await impatientBank()
    const parked = await park(host, '/parsed-before', { cookie, like: { to: 'eve' } })
    giveUpAtNextLook()
    expect((await parked.finish({ to: 'eve' })).status).to.equal(503)
    expect(paid).to.deep.equal([])
  })

  it('still pays where nobody gave up', async () => {
    const { host, paid, cookie } = await impatientBank()
    await postJson(useCookie(browserOf(host), cookie), '/parsed-behind', { to: 'bob' }).expect(200)
    expect(paid).to.deep.equal([{ to: 'bob' }])
  })
})

describe('a route with requireFresh() behind middleware that keeps requests waiting', () => {
  // The attack: a request to a slowed-down route is sent with a stolen cookie; everything is ended while it
  // waits, and it has no body that would make requireFresh() look again.
  it('does nothing for a session that was ended meanwhile', async () => {
    let deleted = 0
    let goOn = () => {}
    const waiting = new EventEmitter()
    const waits = once(waiting, 'waits')
    const system = movedSystem()
    const host = makeHost({
      system,
      mount: ({ app, secondStep }) => {
        app.delete(
          '/account',
          (_req, _res, next) => {
            goOn = next
            waiting.emit('waits')
          },
          secondStep.requireFresh(),
          (_req, res) => {
            deleted += 1
            res.json({})
          },
        )
      },
    })
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await giveCode(browser, enrolment.code()).expect(200)
    const answer = browser
      .delete('/account')
      .set('Accept', JSON_TYPE)
      .then((response) => response)
    await waits
    await host.secondStep.endSessions('ann')
    system.advance(200)
    goOn()
    expectProblem(await answer, 'sign-in-again', 401)
    expect(deleted).to.equal(0)
  })
})
