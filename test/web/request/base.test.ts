import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { ADMIN, ada, PEOPLE, requireAdmin, usersOf } from '../../support/admin.js'
import { browserOf, type Enrolment, enrol } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { hasLink, linkIn, lostHost, member } from '../../support/lost.js'
import { sessionsOf } from '../../support/sessions.js'
import { type StrippingProxy, strippingProxy } from '../../support/stripping-proxy.js'
import { type Answer, Visitor } from '../../support/visitor.js'
import { setPolicy } from '../../support/visits.js'

const proxies: StrippingProxy[] = []

after(() => Promise.all(proxies.map((proxy) => proxy.stop())))

/** A host that browsers see below `/app`, and that never sees `/app` itself. */
async function hostBehindProxy(
  given: HostOptions = {},
): Promise<{ host: Host; url: string; enrolled(user?: HostUser): Promise<Enrolment> }> {
  const proxy = await strippingProxy('/app')
  proxies.push(proxy)
  const options = { origin: proxy.url, base: '/app', ...given.options }
  const host = makeHost({ ...given, options })
  await proxy.serve(host.app)
  // The set-up is not what is looked at here: past the proxy it is the same.
  return { host, url: proxy.url, enrolled: (user = ann) => enrol(host, user) }
}

function passLogin(visitor: Visitor, user: HostUser = ann, path = '/app/login'): Promise<Answer> {
  return visitor.postForm(path, { username: user.id, password: user.password })
}

async function giveCode(visitor: Visitor, { code }: Enrolment): Promise<Answer> {
  return visitor.postForm('/app/second-step/challenge', { code: code() })
}

/** Expects a redirect, and that there is something where it leads. */
async function followed(visitor: Visitor, answer: Answer, to: string): Promise<Answer> {
  expect([answer.status, answer.headers.location]).to.deep.equal([303, to])
  const page = await visitor.getPage(to)
  expect(page.status, to).to.equal(200)
  return page
}

/** The paths that a page leads to: links, forms, styles and scripts. */
function pathsIn({ text }: Answer): readonly string[] {
  return [...text.matchAll(/(?:href|src|action|data-back)="(\/[^"]*)"/g)].map(([, path = '']) =>
    path.replaceAll('&amp;', '&'),
  )
}

const showBanner: RequestHandler = (_req, res) => {
  res.type('html').send(`<title>Here</title>${res.locals.secondStepBanner}`)
}

describe('behind a proxy that strips a prefix', () => {
  it('a whole login leads through pages that exist', async () => {
    const { url, host, enrolled } = await hostBehindProxy()
    const enrolment = await enrolled()
    const visitor = new Visitor(url)
    const challenge = await followed(
      visitor,
      await passLogin(visitor),
      '/app/second-step/challenge',
    )
    expect(challenge.text).to.include('action="/app/second-step/challenge"')
    // Where the host's own redirect would go, as the app sees it.
    await followed(visitor, await giveCode(visitor, enrolment), '/app/inside')
    host.system.advance(30 * SECOND)
    const again = await passLogin(new Visitor(url))
    expect(again.headers.location).to.equal('/app/second-step/challenge')
  })

  it('every link, form, style and script of every page lies below it', async () => {
    const { options, mails } = lostHost({ users: usersOf([...PEOPLE, member]) }, [
      ...PEOPLE,
      member,
    ])
    const { url, host, enrolled } = await hostBehindProxy({
      ...options,
      options: { ...options.options, roles: ['user', 'admin'] },
      mount: ({ app, secondStep }) => void app.use(ADMIN, requireAdmin, secondStep.adminRouter()),
    })
    const ofAda = await enrolled(ada)
    const ofAnn = await enrolled(member)
    const admin = new Visitor(url)
    await passLogin(admin, ada)
    await giveCode(admin, ofAda)
    host.system.advance(30 * SECOND)
    const pending = new Visitor(url)
    await passLogin(pending, member)
    await pending.postForm('/app/second-step/lost', { email: member.email ?? '' })
    await host.secondStep.close()
    const newcomer = new Visitor(url)
    await passLogin(newcomer, { ...ann, id: 'bob', password: 'bob-password' })
    expect(ofAnn.backupCodes).to.have.length(10)

    const visits: readonly (readonly [Visitor, readonly string[]])[] = [
      [
        admin,
        ['', '/', '/fresh', '/nothing', '/challenge/nothing'].map(
          (path) => `/app/second-step${path}`,
        ),
      ],
      [
        admin,
        ['/users', '/users?limit=1', '/users/ann', '/policy', '/events', '/users/nobody'].map(
          (path) => `/app${ADMIN}${path}`,
        ),
      ],
      [
        pending,
        ['/challenge', '/lost', '/lost?sent=1', '/', '/lost/cancelled'].map(
          (path) => `/app/second-step${path}`,
        ),
      ],
      [newcomer, ['/setup', '/'].map((path) => `/app/second-step${path}`)],
      [new Visitor(url), ['/app/second-step/', '/app/second-step/lost/nonsense']],
    ]
    expect(mails.some(hasLink)).to.equal(true)
    for (const [visitor, pages] of visits) {
      for (const page of [
        ...pages,
        ...(visitor === pending ? [`/app${linkIn(mails.findLast(hasLink))}`] : []),
      ]) {
        const shown = await visitor.getPage(page)
        expect(shown.headers['content-type'], `${page} ${shown.status}`).to.match(/^text\/html/)
        const paths = pathsIn(shown)
        expect(paths).to.include('/app/second-step/assets/style.css')
        for (const path of paths) {
          expect(path, page).to.match(/^\/app(\/|$)/)
          if (/\/(login|logout)?$/.test(path)) continue
          const there = await visitor.getPage(path)
          const isForm = shown.text.includes(`action="${path}"`)
          if (!isForm) expect(there.status, `${page} → ${path}`).to.be.lessThan(404)
        }
      }
    }
  })

  it('a page that a pending visitor opens is where the login leads', async () => {
    const { url, enrolled } = await hostBehindProxy({
      routes: ({ app }) => void app.get('/report', showBanner),
    })
    const enrolment = await enrolled()
    const visitor = new Visitor(url)
    await passLogin(visitor)
    const sent = await visitor.getPage('/app/report?year=2026')
    expect(sent.headers.location).to.equal('/app/second-step/challenge')
    await followed(visitor, await giveCode(visitor, enrolment), '/app/report?year=2026')
  })

  it('a page below another folder of the prefix’s name is that page', async () => {
    // The app has a folder `/app` of its own: browsers see it as `/app/app`.
    const { url, enrolled } = await hostBehindProxy({
      routes: ({ app }) => void app.get('/app/report', showBanner),
    })
    const enrolment = await enrolled()
    const visitor = new Visitor(url)
    await passLogin(visitor)
    await visitor.getPage('/app/app/report')
    await followed(visitor, await giveCode(visitor, enrolment), '/app/app/report')
  })

  const destinations: Readonly<Record<string, string>> = {
    'as the app sees it': '/report?a=1',
    'as browsers see it': '/app/report?a=1',
    'with the origin': 'ORIGIN/app/report?a=1',
  }
  for (const [name, returnTo] of Object.entries(destinations)) {
    it(`the host names where a login leads ${name}`, async () => {
      let origin = ''
      const { url, enrolled } = await hostBehindProxy({
        routes: ({ app, passport }) => {
          app.get('/report', showBanner)
          const remember: RequestHandler = (req, _res, next) => {
            req.session.returnTo = returnTo.replace('ORIGIN', origin)
            next()
          }
          const options = { successReturnToOrRedirect: '/', keepSessionInfo: true }
          app.post('/wanted', remember, passport.authenticate('local', options))
        },
      })
      origin = url
      const enrolment = await enrolled()
      const visitor = new Visitor(url)
      await passLogin(visitor, ann, '/app/wanted')
      await followed(visitor, await giveCode(visitor, enrolment), '/app/report?a=1')
    })
  }

  it('a link of a reset is never kept as a destination, however it is named', async () => {
    // Who reads the session store would have the token.
    const { host, enrolled } = await hostBehindProxy({
      routes: ({ app, passport }) => {
        const remember: RequestHandler = (req, _res, next) => {
          req.session.returnTo = String(req.query.to)
          next()
        }
        app.post('/wanted', remember, passport.authenticate('local', { keepSessionInfo: true }))
      },
    })
    await enrolled()
    for (const to of [
      '/second-step/lost/TOKEN',
      '/app/second-step/lost/TOKEN',
      '/APP/Second-Step//lost/TOKEN',
      '/../second-step/lost/TOKEN',
      '/%2e%2e/app/second-step/lost/TOKEN',
    ]) {
      const browser = browserOf(host)
      await browser
        .post(`/wanted?to=${encodeURIComponent(to)}`)
        .send({ username: 'ann', password: 'ann-password' })
      const kept = sessionsOf(host).map(({ secondStep }) => secondStep?.pending?.next)
      expect(kept.join(), to).to.not.include('TOKEN')
    }
  })

  it('`open` names pages as the app sees them', async () => {
    const { url, enrolled } = await hostBehindProxy({
      guard: { open: ['/help', '/login'] },
      routes: ({ app }) => void app.get(['/help', '/other'], showBanner),
    })
    await enrolled()
    const visitor = new Visitor(url)
    await passLogin(visitor)
    expect((await visitor.getPage('/app/help')).status).to.equal(200)
    expect((await visitor.getPage('/app/other')).headers.location).to.equal(
      '/app/second-step/challenge',
    )
  })

  it('requireFresh() leads to the page that asks, and back', async () => {
    const { url, host, enrolled } = await hostBehindProxy({
      routes: ({ app, secondStep }) => {
        app.get('/payout', secondStep.requireFresh(), showBanner)
        app.post('/payout', secondStep.requireFresh(), showBanner)
      },
    })
    const enrolment = await enrolled()
    const visitor = new Visitor(url)
    await passLogin(visitor)
    await giveCode(visitor, enrolment)
    host.system.advance(300 * SECOND)
    await followed(visitor, await visitor.getPage('/app/payout?to=1'), '/app/second-step/fresh')
    const given = await visitor.postForm('/app/second-step/fresh', { code: enrolment.code() })
    await followed(visitor, given, '/app/payout?to=1')

    host.system.advance(300 * SECOND)
    const refused = await visitor.postJson('/app/payout')
    expect([refused.status, refused.body.next]).to.deep.equal([403, '/app/second-step/fresh'])
  })

  it('JSON and htmx get paths that browsers can ask for', async () => {
    const { url, enrolled } = await hostBehindProxy()
    const enrolment = await enrolled()
    const visitor = new Visitor(url)
    const login = await visitor.postJson('/app/login', {
      username: 'ann',
      password: 'ann-password',
    })
    expect(login.body).to.deep.equal({
      status: 'code-required',
      next: '/app/second-step/challenge',
    })
    const code = enrolment.code()
    const { body } = await visitor.postJson('/app/second-step/challenge', { code })
    expect(body).to.include({ status: 'signed-in', next: '/app/inside' })
    const htmx = new Visitor(url, { 'hx-request': 'true' })
    expect((await passLogin(htmx)).headers['hx-redirect']).to.equal('/app/second-step/challenge')
  })

  it('signing in and being signed in are the host’s pages below it', async () => {
    const { url, enrolled } = await hostBehindProxy()
    const enrolment = await enrolled()
    const visitor = new Visitor(url)
    await passLogin(visitor)
    const cancelled = await visitor.postForm('/app/second-step/cancel')
    expect(cancelled.headers.location).to.equal('/app/login')
    await passLogin(visitor)
    await giveCode(visitor, enrolment)
    expect((await visitor.getPage('/app/second-step/challenge')).headers.location).to.equal('/app/')
  })

  it('mails and the banner lead there', async () => {
    const { options, mails } = lostHost()
    const { url, host, enrolled } = await hostBehindProxy({
      ...options,
      routes: ({ app }) => void app.get('/here', showBanner),
    })
    const newcomer = new Visitor(url)
    const requiredSince = { general: host.system.now(), roles: {} }
    await setPolicy(host, { mode: 'required', graceDays: 7, requiredSince })
    await passLogin(newcomer, member)
    const { text } = await newcomer.getPage('/app/here')
    expect(text).to.include('href="/app/second-step/setup"')
    await enrolled(member)
    await host.secondStep.close()
    expect(mails[0]?.text).to.include(`${url}/app/second-step/\n`)
  })

  it('admins stay below it too, from page to page', async () => {
    const { url, host, enrolled } = await hostBehindProxy({
      users: PEOPLE,
      options: { users: usersOf(PEOPLE), roles: ['user', 'admin'] },
      mount: ({ app, secondStep }) => void app.use(ADMIN, requireAdmin, secondStep.adminRouter()),
    })
    const ofAda = await enrolled(ada)
    const admin = new Visitor(url)
    await passLogin(admin, ada)
    await giveCode(admin, ofAda)
    host.system.advance(30 * SECOND)
    const { text: overview } = await admin.getPage(`/app${ADMIN}`)
    expect(overview).to.include(`href="/app${ADMIN}/users"`)
    const { text } = await admin.getPage(`/app${ADMIN}/users?limit=1`)
    const [, more = ''] = /rel="next" href="([^"]+)"/.exec(text) ?? []
    expect((await admin.getPage(more.replaceAll('&amp;', '&'))).status).to.equal(200)
    const done = await admin.postForm(`/app${ADMIN}/users/ann/end-sessions`)
    const shown = await followed(admin, done, `/app${ADMIN}/users/ann`)
    expect(shown.text).to.include('class="done"')
  })
})

describe('a prefix in front of the app that no proxy strips', () => {
  it('is part of `paths`, as before', async () => {
    const { app } = makeHost({
      options: {
        paths: { secondStep: '/app/second-step', signIn: '/app/login', signedIn: '/app' },
      },
      routes: ({ app, secondStep }) => void app.use('/app/second-step', secondStep.router()),
    })
    const browser = browserOf({ app })
    await browser.post('/login').send({ username: 'ann', password: 'ann-password' })
    await browser.get('/app/second-step/setup').set('Accept', 'application/json').expect(200)
  })
})

describe('a mistake about the prefix is named', () => {
  const told = async (
    options: NonNullable<HostOptions['options']>,
    at: string,
  ): Promise<string> => {
    const host = makeHost({
      options,
      routes: ({ app, secondStep }) => void app.use(at, secondStep.router()),
    })
    return (await browserOf(host).get(`${at}/challenge`).expect(500)).text
  }

  it('at the first request: `paths` have it, and a proxy strips it', async () => {
    const text = await told({ paths: { secondStep: '/app/second-step' } }, '/second-step')
    expect(text).to.match(/mounted at \/second-step.*paths\.secondStep.*`?base`?: &#39;\/app&#39;/)
  })

  it('at the first request: no proxy strips it', async () => {
    const text = await told({ base: '/app' }, '/app/second-step')
    expect(text).to.match(/mounted at \/app\/second-step.*paths\.secondStep.*base/)
  })

  const wrong: readonly unknown[] = [
    'app',
    '/app/',
    '/',
    '//app',
    '/a//b',
    '/a/../b',
    '/..',
    '/./a',
    '/a b',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/приложение',
    'https://acme.example/app',
    ['/app'],
    7,
    null,
  ]
  for (const base of wrong) {
    it(`at start-up: base: ${JSON.stringify(base)}`, () => {
      expect(() => makeHost({ options: { base: base as string } })).to.throw(
        /`base` must be a path such as \/app/,
      )
    })
  }

  it('at start-up: `paths` and `open` that have it too', () => {
    const make = (options: HostOptions['options'], open?: readonly string[]) => () =>
      makeHost({
        options: { base: '/app', ...options },
        ...(open === undefined ? {} : { guard: { open } }),
      })
    expect(make({ paths: { signIn: '/app/login' } })).to.throw(/`paths\.signIn`.*`base`.*\/login/)
    expect(make({ paths: { signedIn: '/app' } })).to.throw(/`paths\.signedIn`.*`base`.*\//)
    expect(make({}, ['/app/login'])).to.throw(/`guard\.open`.*\/app\/login.*`base`/)
    expect(make({ paths: { signIn: '/apple' } }, ['/apple'])).to.not.throw()
  })
})
