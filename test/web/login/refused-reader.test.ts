// The attack: a user gives a fresh code, sends the header of an upload, logs out, and sends the body. It is
// refused in place of the handler, which is running. The handler answers the error that it then reads,
// a second time: uncaught, that ends the process.

import { pipeline, Writable } from 'node:stream'
import { expect } from 'chai'
import type { Request, Response } from 'express'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { endings } from '../../support/process-endings.js'
import { cookieOf, useCookie } from '../../support/sessions.js'

const sink = () => new Writable({ write: (_piece, _encoding, next) => next() })

/** Handlers as hosts write them. `told` is called when they have answered an error. */
const HANDLERS: Readonly<
  Record<string, (req: Request, res: Response, told: (error?: unknown) => void) => void>
> = {
  'a pipeline': (req, res, told) => {
    pipeline(req, sink(), (error) => {
      if (error) res.status(500).json({ error: 'upload failed' })
      told()
    })
  },
  'a reader with an answer of its own': (req, res, told) => {
    const fail = () => res.set('X-Failed', '1').status(400).end('failed', told)
    req.on('data', () => undefined).on('aborted', fail)
  },
  'an event of an aborted request': (req, res, told) => {
    req.on('error', () => undefined).on('data', () => undefined)
    req.on('close', () => {
      res.writeHead(400, { 'X-Failed': '1' })
      res.write('failed')
      res.end(told)
    })
  },
  'a page of errors': (req, res, told) => {
    pipeline(req, sink(), (error) => {
      if (error) res.redirect(303, '/failed')
      told()
    })
  },
}

async function parkedUpload(handler: (req: Request, res: Response) => void) {
  const host = makeHost({
    mount: ({ app, secondStep }) => app.post('/upload', secondStep.requireFresh(), handler),
  })
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  const parked = await park(host, '/upload', { cookie, like: { a: 1 } })
  return { host, cookie, parked }
}

describe('an upload that was refused while its handler reads', () => {
  for (const [name, handler] of Object.entries(HANDLERS)) {
    it(`ends no process where the handler answers the error too: ${name}`, async () => {
      let reaction = Promise.resolve()
      const ended = await endings(async () => {
        let tell = () => {}
        reaction = new Promise<void>((resolve) => {
          tell = resolve
        })
        const { host, cookie, parked } = await parkedUpload((req, res) => handler(req, res, tell))
        await useCookie(browserOf(host), cookie).post('/logout')
        const { status, body } = await parked.finish({ a: 1 })
        expect({ status, code: body.code }).to.deep.equal({ status: 401, code: 'sign-in-again' })
        await reaction
      })
      expect(ended).to.deep.equal([])
    })
  }

  it('ends no process where the handler has a timer that answers', async () => {
    let answerLate = () => {}
    const ended = await endings(async () => {
      const { host, cookie, parked } = await parkedUpload((req, res) => {
        req.on('data', () => undefined).on('error', () => undefined)
        answerLate = () => res.status(408).json({ error: 'too slow' })
      })
      await useCookie(browserOf(host), cookie).post('/logout')
      expect((await parked.finish({ a: 1 })).status).to.equal(401)
      answerLate()
    })
    expect(ended).to.deep.equal([])
  })

  it('ends no process where the record store is away', async () => {
    let reacted = () => {}
    const reaction = new Promise<void>((resolve) => {
      reacted = resolve
    })
    const ended = await endings(async () => {
      const { host, parked } = await parkedUpload((req, res) => {
        pipeline(req, sink(), (error) => {
          if (error) res.status(500).json({ error: 'upload failed' })
          reacted()
        })
      })
      const away = async () => {
        throw new Error('ECONNREFUSED')
      }
      Object.assign(host.store, { find: away, read: away })
      expect((await parked.finish({ a: 1 })).status).to.equal(503)
      await reaction
    })
    expect(ended).to.deep.equal([])
  })
})
