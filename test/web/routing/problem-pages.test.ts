import { createHash } from 'node:crypto'
import { expect } from 'chai'
import session, { Store } from 'express-session'
import supertest, { type Response } from 'supertest'
import { ADMIN, ada, adminVisit } from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
} from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  enrol,
  HTML,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import { ann, bob, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { hasLink, linkIn, lostHost, member } from '../../support/lost.js'
import { cookieOf } from '../../support/sessions.js'
import { enrolledVisit, pendingVisit, signedInVisit } from '../../support/visits.js'

const ORIGIN = 'http://127.0.0.1'

/** The one button of a problem page: where it leads, and what it says. */
function buttonOf({ text }: Response): readonly [href: string, label: string] {
  const buttons = [...text.matchAll(/<a class="button" href="([^"]*)">([^<]*)<\/a>/g)]
  expect(buttons, text).to.have.length(1)
  const [[, href = '', label = ''] = []] = buttons
  return [href.replaceAll('&amp;', '&'), label]
}

function storeAway({ store }: Host): void {
  store.find = () => Promise.reject(new Error('away'))
}

describe('the page of a part that does not answer', () => {
  it('has its style in itself: the style sheet stands behind what is away', async () => {
    const { host, browser } = await pendingVisit()
    storeAway(host)
    const page = await getPage(browser, '/second-step/challenge').expect(503)
    const [, style = ''] = /<style>([\s\S]+)<\/style>/.exec(page.text) ?? []
    expect(style).to.include('--second-step-accent').and.include('.card')
    const hash = createHash('sha256').update(style).digest('base64')
    const policy = page.headers['content-security-policy']
    expect(policy).to.include(`style-src 'self' 'sha256-${hash}';`)
    expect(policy).to.include("default-src 'none'").and.include("script-src 'self'")
    expectSafeHeaders(page)
    expect(page.text).to.not.match(/\/second-step\/assets|<script/)
  })

  it('so it has where it is the session store', async () => {
    class AwayStore extends Store {
      override get = (_id: string, done: (error: unknown) => void) => done(new Error('away'))
      override set = () => undefined
      override destroy = () => undefined
    }
    const store = new AwayStore()
    const own = session({ secret: 'test', resave: false, saveUninitialized: false, store })
    const host = makeHost({ beforeGuard: ({ app }) => void app.use('/away', resetSession, own) })
    const { headers } = await passFirstStep(browserOf(host), ann)
    const away = supertest(host.app)
      .get('/away?a=1')
      .set({ Cookie: cookieOf({ headers }), Accept: HTML })
    const page = await away.expect(503)
    expect(page.text).to.include('<style>')
    expect(buttonOf(page)).to.deep.equal(['/away?a=1', 'Try again'])
  })

  it('no other page has: their style sheet is there', async () => {
    const { browser } = await pendingVisit()
    const page = await getPage(browser, '/second-step/nothing').expect(404)
    expect(page.text).to.include('/second-step/assets/style.css').and.not.include('<style>')
    expect(page.headers['content-security-policy']).to.not.include('sha256')
  })

  it('has a button that tries again', async () => {
    const { host, browser } = await signedInVisit({ options: { base: '/app' } })
    storeAway(host)
    const page = await getPage(browser, '/inside?a=1&b=2').expect(503)
    expect(buttonOf(page)).to.deep.equal(['/app/inside?a=1&b=2', 'Try again'])
    const own = await postForm(browser, '/second-step/change-key?a=1', { code: '123456' })
    expect(own.status).to.equal(503)
    expect(buttonOf(own), 'a form has a page at its address').to.deep.equal([
      '/app/second-step/change-key',
      'Try again',
    ])
  })

  it('leads from a form that has no page of its own to where the host has who is in', async () => {
    const { host, browser } = await signedInVisit()
    storeAway(host)
    const sent = postForm(browser, '/logout').set('Referer', 'javascript:alert(1)')
    expect(buttonOf(await sent.expect(503))[0]).to.equal('/')
  })

  it('leads from a form of the host’s to the page that it is on', async () => {
    const { host, browser } = await enrolledVisit()
    storeAway(host)
    const post = async (path: string, referer?: string) => {
      const sent = postForm(browser, path, { username: 'ann', password: 'ann-password' })
      const page = await (referer === undefined ? sent : sent.set('Referer', referer)).expect(503)
      return buttonOf(page)[0]
    }
    expect(await post('/login', `${ORIGIN}/enter?to=%2Fa`)).to.equal('/enter?to=%2Fa')
    expect(await post('/login')).to.equal('/login')
    expect(await post('/login', 'https://evil.example/login')).to.equal('/login')
  })
})

/** Sessions of another store than the host's, for one path. */
function resetSession(req: object, _res: unknown, next: () => void): void {
  Reflect.deleteProperty(req, 'session')
  next()
}

describe('the page of a problem leads back', () => {
  it('who is signed in, to where they came from, never to the sign-in', async () => {
    const { browser } = await signedInVisit()
    const nothing = '/second-step/nothing'
    const from = (path: string) => getPage(browser, nothing).set('Referer', `${ORIGIN}${path}`)
    expect(buttonOf(await from('/inside?a=1&b="2"'))).to.deep.equal([
      '/inside?a=1&b=%222%22',
      'Back',
    ])
    // Our own pages tell no more than the origin.
    expect(buttonOf(await from('/'))).to.deep.equal(['/second-step/', 'Back'])
    expect(buttonOf(await from(nothing)), 'that would be this page').to.deep.equal([
      '/second-step/',
      'Back',
    ])
    for (const referer of ['https://evil.example/', '//evil.example/', `${ORIGIN}.evil.example/`]) {
      const page = await getPage(browser, nothing).set('Referer', referer)
      expect(buttonOf(page), referer).to.deep.equal(['/second-step/', 'Back'])
    }
    const foreign = postForm(browser, '/second-step/reset', { code: '1' })
    const refused = await foreign.set({ Origin: 'https://evil.example' }).expect(403)
    expect(buttonOf(refused)).to.deep.equal(['/second-step/', 'Back'])
  })

  it('who is signed in, from the host’s own pages to where the host has them', async () => {
    const { browser } = await signedInVisit({
      options: { paths: { signedIn: '/inside' } },
      routes: ({ app, secondStep }) => void app.post('/limited', secondStep.limitPassword()),
    })
    const page = await postForm(browser, '/limited', { username: ['a', 'b'] }).expect(400)
    expect(buttonOf(page)).to.deep.equal(['/inside', 'Back'])
  })

  it('who is between the two steps, to the second one', async () => {
    const { browser } = await pendingVisit()
    const page = await getPage(browser, '/second-step/nothing').expect(404)
    expect(buttonOf(page)).to.deep.equal(['/second-step/challenge', 'Continue'])
  })

  it('whoever else, to the sign-in; unless signing in would not help', async () => {
    const host = makeHost({
      routes: ({ app, secondStep }) => void app.post('/limited', secondStep.limitPassword()),
    })
    const browser = browserOf(host)
    const settings = await getPage(browser, '/second-step/').set('Referer', `${ORIGIN}/home`)
    expect(buttonOf(settings)).to.deep.equal(['/login', 'Go to sign-in'])
    const odd = postForm(browser, '/limited', { username: ['a', 'b'] })
    expect(buttonOf(await odd.set('Referer', `${ORIGIN}/enter`))).to.deep.equal(['/enter', 'Back'])
    const nowhere = await postForm(browser, '/limited', { username: ['a', 'b'] })
    expect(buttonOf(nowhere)).to.deep.equal(['/login', 'Go to sign-in'])
  })

  it('who was signed out meanwhile, to the sign-in', async () => {
    const { host, browser } = await pendingVisit()
    await host.secondStep.endSessions('ann')
    const page = await getPage(browser, '/second-step/challenge').expect(401)
    expect(buttonOf(page)).to.deep.equal(['/login', 'Go to sign-in'])
  })
})

describe('the page of a mailed link', () => {
  it('sends no signed-in visitor to the sign-in', async () => {
    const { options, mails, idle } = lostHost({}, [member, bob])
    const { host, browser: pending } = await pendingVisit(options)
    await postForm(pending, '/second-step/lost', { email: member.email ?? '' }).expect(303)
    await idle(host)
    const link = linkIn(mails.findLast(hasLink))
    const signedIn = browserOf(host)
    await passFirstStep(signedIn, bob).expect(302)
    const page = await getPage(signedIn, link).expect(200)
    expect(page.text).to.include('sign out').and.not.include('href="/login"')
    expect(buttonOf(page)[0]).to.equal('/second-step/')
    const cancelled = await getPage(signedIn, '/second-step/lost/cancelled').expect(200)
    expect(buttonOf(cancelled)).to.deep.equal(['/second-step/', 'Continue'])
    const nobody = browserOf(host)
    expect(buttonOf(await getPage(nobody, link))[0]).to.equal('/login')
    expect(buttonOf(await getPage(nobody, '/second-step/lost/cancelled'))[0]).to.equal('/login')
  })
})

describe('the page of a problem of an admin’s', () => {
  const NAVIGATION = `<nav class="tabs"`

  it('keeps the navigation', async () => {
    const { browser } = await adminVisit()
    const paths = [
      ['/nothing', 404],
      ['/users/nobody', 404],
      ['/users/%ff', 400],
      ['/users/ann/nothing', 404],
    ] as const
    for (const [path, status] of paths) {
      const page = await getPage(browser, `${ADMIN}${path}`).expect(status)
      expect(page.text, path).to.include(NAVIGATION)
      expect(buttonOf(page), path).to.deep.equal([`${ADMIN}/users`, 'Back'])
    }
  })

  it('keeps it where the user store does not answer', async () => {
    const { host, browser } = await adminVisit()
    host.store.list = () => Promise.reject(new Error('away'))
    const page = await getPage(browser, `${ADMIN}/users?state=on`).expect(503)
    expect(page.text).to.include(NAVIGATION).and.include('<style>')
    expect(buttonOf(page)).to.deep.equal([`${ADMIN}/users?state=on`, 'Try again'])
  })

  it('keeps it for users whom the host lets in without a role', async () => {
    const people = [ada, { ...ann, roles: ['user'] }]
    const host = makeHost({
      users: people,
      options: { users: { findById: async (id) => people.find((one) => one.id === id) ?? null } },
      mount: ({ app, secondStep }) =>
        void app.use(ADMIN, secondStep.adminRouter({ allow: () => true })),
    })
    const browser = browserOf(host)
    await signIn(browser, ann, await enrol(host, ann))
    expect((await getPage(browser, `${ADMIN}/users/nobody`)).text).to.include(NAVIGATION)
  })

  it('is nowhere else, and not for anybody else', async () => {
    const { browser } = await adminVisit()
    expect((await getPage(browser, '/second-step/nothing')).text).to.not.include(NAVIGATION)
    const host = makeHost(hostThatChecksNothing())
    const user = browserOf(host)
    await signIn(user, ann, await enrol(host, ann))
    for (const path of ['/users', '/nothing']) {
      expect((await getPage(user, `${ADMIN}${path}`)).text, path).to.not.include(NAVIGATION)
    }
  })
})

function hostThatChecksNothing(): HostOptions {
  return {
    options: { users: { findById: async () => ann } },
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
  }
}

describe('a GET of the address that a form posts to', () => {
  const forms = [
    '/cancel',
    '/change-key',
    '/show-key',
    '/backup-codes',
    '/backup-codes/saved',
    '/reset',
    '/disable',
    '/lost/cancel',
  ].map((path) => `/second-step${path}`)

  const leads = async (browser: Browser, to: string) => {
    for (const path of forms) {
      const { status, headers } = await getPage(browser, path)
      expect([path, status, headers.location]).to.deep.equal([path, 303, to])
    }
  }

  it('leads signed-in visitors to the settings', async () => {
    const { browser } = await signedInVisit()
    await leads(browser, '/second-step/')
  })

  it('leads pending visitors to the second step', async () => {
    const { browser } = await pendingVisit()
    await leads(browser, '/second-step/challenge')
  })

  it('tells other visitors to sign in, and answers JSON with not-found', async () => {
    const { browser } = await enrolledVisit()
    for (const path of forms) {
      await getPage(browser, path).expect(401)
      expectProblem(await getJson(browser, path), 'not-found', 404)
    }
  })

  it('leads from a mailed link’s form to the link', async () => {
    const { browser } = await enrolledVisit(lostHost().options)
    const { status, headers } = await getPage(browser, '/second-step/lost/a.b-c/cancel')
    expect([status, headers.location]).to.deep.equal([303, '/second-step/lost/a.b-c'])
  })

  it('leads admins from a change of several users to the list, also by "Try again"', async () => {
    const { host, browser } = await adminVisit()
    const { find } = host.store
    storeAway(host)
    const away = await postForm(browser, `${ADMIN}/bulk`, { ids: 'ann', action: 'reset' })
    expect(away.status).to.equal(503)
    host.store.find = find
    const [again] = buttonOf(away)
    const { status, headers } = await getPage(browser, again)
    expect([again, status, headers.location]).to.deep.equal([
      `${ADMIN}/bulk`,
      303,
      `${ADMIN}/users`,
    ])
    expectProblem(await getJson(browser, `${ADMIN}/bulk`), 'not-found', 404)
  })

  it('leads admins, and nobody else, to the page of any user', async () => {
    const { browser } = await adminVisit()
    const remove = `${ADMIN}/users/a%2Fnn/authenticators/x/remove`
    const { status, headers } = await getPage(browser, remove)
    expect([status, headers.location]).to.deep.equal([303, `${ADMIN}/users/~YS9ubg`])
    expectProblem(await getJson(browser, remove), 'not-found', 404)
    expectProblem(await getJson(browser, `${ADMIN}/users/ann/reset`), 'not-found', 404)
    const host = makeHost(hostThatChecksNothing())
    const user = browserOf(host)
    await signIn(user, ann, await enrol(host, ann))
    const page = await getPage(user, remove.replace('a%2Fnn', 'ann')).expect(303)
    const { location = '' } = page.headers
    await getPage(user, `${location}/reset`).expect(403)
    await getPage(user, location).expect(403)
    await getPage(browserOf(host), location).expect(401)
  })
})
