// The attack: somebody has the password alone, of an app whose every page lies behind a strategy that signs in at
// each request (Basic, a client certificate, a header). They ask for `/login/../report.html`: compared as sent, it
// lies below the open path /login, so the request goes on without a user. What answers behind it resolves the dots
// itself, as express.static and proxies do, and hands out /report.html.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import express, { type Request } from 'express'
import { Strategy } from 'passport'
import { enrol, HTML, JSON_TYPE } from '../../support/browser.js'
import { ann, type Host, type HostParts, makeHost } from '../../support/host.js'
import { cookieOf } from '../../support/sessions.js'

const namedIn = (req: Request) => (req.get('x-certificate') === 'ann' ? ann : undefined)

class Certificate extends Strategy {
  override readonly name = 'certificate'

  override authenticate(req: Request): void {
    const user = namedIn(req)
    if (user === undefined) this.fail(401)
    else this.success(user)
  }
}

const ways: Readonly<Record<string, (parts: HostParts) => void>> = {
  'a strategy': ({ app, passport }) => {
    passport.use(new Certificate())
    app.use(passport.authenticate('certificate'))
  },
  'req.logIn()': ({ app }) => {
    app.use((req, res, next) => {
      const user = namedIn(req)
      if (req.isAuthenticated()) next()
      else if (user === undefined) res.sendStatus(401)
      else req.logIn(user, (error) => next(error))
    })
  },
}

/** What a reader behind the guard may take for a path outside the folder. */
const climbing: Readonly<Record<string, string>> = {
  'two dots': '/login/../report.html',
  'two dots behind an escaped slash': '/login/..%2freport.html',
  'escaped dots': '/auth/%2e%2e/report.html',
  'one dot escaped': '/auth/.%2E/report.html',
  'a backslash': '/login/..\\report.html',
  'an escaped backslash': '/login%2f../login/..%5creport.html',
  'dots escaped twice': '/login/%252e%252e/report.html',
  'a slash escaped three times': '/login/..%25252freport.html',
  'escapes without end': `/login/%${'25'.repeat(20)}2e./report.html`,
  'a parameter of the segment': '/login/..;a=b/report.html',
  'an escaped parameter': '/login/..%3b/report.html',
  'an escaped question mark': '/login/..%3f/report.html',
  'an escaped NUL': '/login/..%00/report.html',
  'a tab between the dots': '/login/.%09./report.html',
  'blanks around the dots': '/login/%20..%20/report.html',
  'three dots': '/login/.../report.html',
  'an overlong form of UTF-8': '/login/%c0%ae%c0%ae/report.html',
  'a longer overlong form': '/login/%e0%80%ae./report.html',
  'an escape of IIS': '/login/%u002e%u002e/report.html',
  'a broken escape beside them': '/login/%zz/..%2f..%2freport.html',
  'a folder with an escaped slash': '/login/a%2fb/../../report.html',
  'doubled slashes': '/login//..//report.html',
  'another case': '/LOGIN/../report.html',
  'the home page and one more slash': '//report.html',
  'the home page and two more': '///report.html',
  'the user router’s path': '/second-step/../report.html',
  'the challenge’s path': '/second-step/challenge/..%2f..%2freport.html',
  'the admin router’s path': '/admin/second-step/../../report.html',
  'a path of the admin router, which is not mounted': '/admin/second-step/report.html',
  'an absolute URL': 'http://127.0.0.1/login/../report.html',
}

const staying: Readonly<Record<string, string>> = {
  'the home page': '/?a=b',
  'an open path': '/login',
  'a page below it': '/login/help.html',
  'an escaped slash': '/auth/back/a%2fb',
  'doubled slashes': '/login//help',
  'dots within a name': '/auth/.well-known/a..b/v1.2',
  'a broken escape': '/login/100%',
  'dots in the query': '/login?next=/a/../b',
}

for (const [way, mount] of Object.entries(ways)) {
  describe(`the first step alone, passed by ${way} at every request`, () => {
    let folder: string
    let server: Server
    let host: Host
    const asked = (path: string, headers = {}) =>
      ask(server, path, { 'x-certificate': 'ann', ...headers })

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'members-'))
      writeFileSync(join(folder, 'report.html'), 'for members')
      host = makeHost({
        guard: { open: ['/', '/login', '/logout', '/auth'] },
        // In front of the package's router, where nothing of ours answers.
        mountFirst: (parts) => {
          // The set-up of the test, which has no certificate.
          const { app } = parts
          const router = express.Router()
          app.use((req, res, next) =>
            namedIn(req) === undefined ? next() : router(req, res, next),
          )
          mount({ ...parts, app: router as HostParts['app'] })
          router.use(express.static(folder), (_req, res) => res.send('let through'))
        },
      })
      await enrol(host, ann)
      server = await listening(host)
    })
    after(() => {
      server.close()
      server.closeAllConnections()
      rmSync(folder, { recursive: true })
    })

    async function pending(): Promise<string> {
      const { text, headers } = await asked('/report.html')
      expect(text).to.contain('code-required')
      return cookieOf({ headers })
    }

    for (const [name, path] of Object.entries(climbing)) {
      it(`lets nobody through to ${name}: ${path.slice(0, 50)}`, async () => {
        const cookie = await pending()
        for (const accept of [JSON_TYPE, HTML]) {
          const { status, text } = await asked(path, { cookie, accept })
          expect(status).to.equal(accept === HTML ? 303 : 200)
          expect(text).to.contain(accept === HTML ? 'Redirecting to /second-step' : 'code-required')
        }
      })
    }

    for (const [name, path] of Object.entries(staying)) {
      it(`goes on to ${name}: ${path}`, async () => {
        const { text } = await asked(path, { cookie: await pending() })
        expect(text).to.equal('let through')
      })
    }
  })
}

async function listening({ app }: Host): Promise<Server> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Record<string, unknown>
  readonly text: string
}

/** As an attacker sends it: a browser or a test client would resolve the path first. */
function ask(server: Server, path: string, headers: Record<string, string>): Promise<Answer> {
  const { port } = server.address() as AddressInfo
  const given = { accept: JSON_TYPE, ...headers }
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: given }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (part) => {
        text += part
      })
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }))
    })
    sent.on('error', reject).end()
  })
}
