import { expect } from 'chai'
import type { Request } from 'express'
import {
  askedPath,
  destinationOf,
  isNavigation,
  isOurs,
  liesUnder,
  pathOnOrigin,
} from '../../../lib/web/request/destination.js'
import { noteAdminRouter } from '../../../lib/web/request/mounted-admin.js'

const ORIGIN = 'https://acme.example'

const paths = {
  secondStep: '/second-step',
  admin: '/admin/second-step',
  signIn: '/login',
  signedIn: '/',
}

function requestOf(parts: object, headers: Record<string, string> = {}): Request {
  const get = (name: string) => headers[name]
  return { method: 'GET', originalUrl: '/', session: {}, get, ...parts } as unknown as Request
}

describe('a path on this origin', () => {
  const kept: Record<string, string> = {
    '/': '/',
    '/inside?page=2#top': '/inside?page=2#top',
    '/a/../b': '/b',
    'https://acme.example/inside?a=1': '/inside?a=1',
    '/ä ö': '/%C3%A4%20%C3%B6',
    '/go?to=https://evil.example': '/go?to=https://evil.example',
    '/a//b': '/a//b',
  }
  for (const [destination, path] of Object.entries(kept)) {
    it(`is ${path} of ${destination}`, () => {
      expect(pathOnOrigin(destination, ORIGIN)).to.equal(path)
    })
  }

  // An open redirect: whoever can set `returnTo` sends the visitor, freshly signed in, elsewhere.
  const elsewhere: Record<string, unknown> = {
    'another origin': 'https://evil.example/',
    'a longer host name': 'https://acme.example.evil.example/',
    'a user name before the host': 'https://acme.example@evil.example/',
    'another scheme': 'http://acme.example/',
    'another port': 'https://acme.example:8443/',
    'two slashes': '//evil.example',
    'three slashes': '///evil.example',
    'a backslash': '/\\evil.example',
    'two backslashes': '\\\\evil.example',
    'a tab between the slashes': '/\t/evil.example',
    'a line break between the slashes': '/\n/evil.example',
    'a tab and a backslash': '/\t\\evil.example',
    'dots that leave two slashes': '/.//evil.example',
    'more dots that leave two slashes': '/a/..//evil.example',
    'encoded dots that leave two slashes': '/%2e//evil.example',
    'dots behind the origin': 'https://acme.example/.//evil.example',
    script: 'javascript:alert(1)',
    data: 'data:text/html,<script>alert(1)</script>',
    'a path without a slash': 'inside',
    'a blank before the slashes': ' //evil.example',
    nothing: '',
    'a list': ['/inside'],
    'an object': { toString: () => '/inside' },
    undefined: undefined,
    null: null,
    'too long a path': `/${'a'.repeat(2048)}`,
  }
  for (const [name, destination] of Object.entries(elsewhere)) {
    it(`is none of ${name}`, () => {
      expect(pathOnOrigin(destination, ORIGIN)).to.equal(null)
    })
  }

  it('stays a path on this origin when it is read once more', () => {
    for (const destination of ['/a/..%2f/evil', '/%2f/evil', '/..\\evil', '/a\\..\\b']) {
      const path = pathOnOrigin(destination, ORIGIN)
      if (path === null) continue
      expect(new URL(path, ORIGIN).origin, destination).to.equal(ORIGIN)
      expect(pathOnOrigin(path, ORIGIN), destination).to.equal(path)
    }
  })
})

describe('the destination of a login', () => {
  const of = (session: object, options: object) =>
    destinationOf(requestOf({ session }), options, { origin: ORIGIN, base: '', paths })

  // Somebody opens the link of a reset by mail without a pending login. If the host remembered that
  // page, the token would stay in the session, and every login would lead there again.
  it('is never the link of a reset by mail, however it is written', () => {
    const token = `/lost/${'x'.repeat(40)}`
    const links = [
      ...[`/second-step${token}`, `/SECOND-STEP${token}/cancel`, `${ORIGIN}/second-step${token}`],
      ...[`/x/../second-step${token}?a=1#b`, `/%73econd-step${token}`, `/second-step/%6cost/x`],
      ...[`/second-step//lost/x`, `/second-step%2flost%2fx`, `/second-step/lost/x%E0%A4%A`],
      ...[`/second-step/%6cost/x%zz`, `/second-step/%256cost/x`],
    ]
    for (const link of links) {
      expect(of({ returnTo: link }, {}), link).to.equal(null)
      expect(of({}, { successRedirect: link }), link).to.equal(null)
      expect(of({ returnTo: link }, { successReturnToOrRedirect: '/home' }), link).to.equal('/home')
    }
    expect(of({ returnTo: '/second-step/lostandfound' }, {})).to.equal('/second-step/lostandfound')
  })

  it('is successRedirect, which Passport prefers', () => {
    expect(of({ returnTo: '/wanted' }, { successRedirect: '/home' })).to.equal('/home')
  })

  it('is returnTo before successReturnToOrRedirect', () => {
    const options = { successReturnToOrRedirect: '/home' }
    expect(of({ returnTo: '/wanted' }, options)).to.equal('/wanted')
    expect(of({}, options)).to.equal('/home')
  })

  it('is returnTo where the login names none', () => {
    expect(of({ returnTo: '/wanted' }, {})).to.equal('/wanted')
    expect(of({}, {})).to.equal(null)
  })

  it('passes over what lies elsewhere', () => {
    const options = { successReturnToOrRedirect: '/home' }
    expect(of({ returnTo: '//evil.example' }, options)).to.equal('/home')
    expect(of({}, { successRedirect: 'https://evil.example' })).to.equal(null)
  })
})

describe('a path below another', () => {
  it('is compared as Express routes: without case, at whole segments', () => {
    expect(liesUnder('/login', '/login')).to.equal(true)
    expect(liesUnder('/LOGIN/help', '/login')).to.equal(true)
    expect(liesUnder('/login-history', '/login')).to.equal(false)
    expect(liesUnder('/', '/login')).to.equal(false)
  })

  it('is the home page alone, if that is the other', () => {
    expect(liesUnder('/', '/')).to.equal(true)
    expect(liesUnder('/report.html', '/')).to.equal(false)
    expect(liesUnder('//report.html', '/')).to.equal(false)
    expect(liesUnder('/app//report.html', '/app/')).to.equal(false)
  })

  it('is ours below either router, and only there', () => {
    const withAdmins = { ...paths }
    noteAdminRouter(withAdmins)
    expect(isOurs('/second-step/challenge', withAdmins)).to.equal(true)
    expect(isOurs('/Admin/Second-Step', withAdmins)).to.equal(true)
    expect(isOurs('/second-steps', withAdmins)).to.equal(false)
    expect(isOurs('/admin', withAdmins)).to.equal(false)
    expect(isOurs('/Admin/Second-Step', paths)).to.equal(false)
  })

  it('is asked for without its query', () => {
    expect(askedPath(requestOf({ originalUrl: '/a?b=/login' }), { base: '' })).to.equal('/a')
    expect(askedPath(requestOf({ originalUrl: '?b' }), { base: '' })).to.equal('')
  })
})

describe('a navigation', () => {
  const html = { accept: 'text/html,*/*' }
  const is = (headers: Record<string, string>, method = 'GET') =>
    isNavigation(requestOf({ method }, headers))

  it('is a GET that accepts pages, with or without what newer browsers say', () => {
    expect(is(html)).to.equal(true)
    expect(is({ ...html, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).to.equal(
      true,
    )
  })

  const others: Record<string, Record<string, string>> = {
    'without Accept': {},
    'for data': { accept: 'application/json' },
    'for anything': { accept: '*/*' },
    'by fetch': { ...html, 'sec-fetch-mode': 'cors' },
    'into a frame': { ...html, 'sec-fetch-dest': 'iframe' },
    ahead: { ...html, 'sec-purpose': 'prefetch' },
    'by jQuery': { ...html, 'x-requested-with': 'XMLHttpRequest' },
    'by htmx': { ...html, 'hx-request': 'true' },
    'by Turbo': { ...html, 'turbo-frame': 'main' },
  }
  for (const [name, headers] of Object.entries(others)) {
    it(`is no request ${name}`, () => {
      expect(is(headers)).to.equal(false)
    })
  }

  it('is no HEAD and no POST', () => {
    expect(is(html, 'HEAD')).to.equal(false)
    expect(is(html, 'POST')).to.equal(false)
  })
})
