import { expect } from 'chai'
import {
  type Browser,
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { ann, bob, type HostOptions, makeHost } from '../../support/host.js'

async function pendingBrowser(options: HostOptions = {}) {
  const host = makeHost({
    routes: ({ app }) => {
      app.use((req, res) => res.json({ path: req.path, user: req.user ?? null }))
    },
    ...options,
  })
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann)
  return { host, browser, enrolment }
}

/** Asks for a page as a browser does that navigates, with some headers changed. */
function navigate(browser: Browser, path: string, headers: Record<string, string> = {}) {
  return browser.get(path).set({
    Accept: HTML,
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
    ...headers,
  })
}

describe('a visitor between the two steps', () => {
  it('goes to the challenge when they open a page, and to the last such page afterwards', async () => {
    const { browser, enrolment } = await pendingBrowser()
    await navigate(browser, '/first').expect(303).expect('Location', '/second-step/challenge')
    await navigate(browser, '/last?page=2').expect(303)
    const answer = await giveCode(browser, enrolment.code()).expect(200)
    expect(answer.body.next).to.equal('/last?page=2')
  })

  it('is led there by an old browser too, which sends no Sec-Fetch headers', async () => {
    const { browser } = await pendingBrowser()
    await browser.get('/page').set('Accept', HTML).expect(303)
  })

  const anonymous: Record<string, [path: string, headers: Record<string, string>]> = {
    'an XHR': ['/api', { 'X-Requested-With': 'XMLHttpRequest' }],
    'a fetch for data': [
      '/api',
      { Accept: JSON_TYPE, 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
    ],
    'a fetch that accepts pages': ['/api', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }],
    'a page in a frame': ['/frame', { 'Sec-Fetch-Dest': 'iframe' }],
    'a prefetch': ['/page', { 'Sec-Purpose': 'prefetch' }],
    htmx: ['/part', { 'HX-Request': 'true' }],
    turbo: ['/part', { 'Turbo-Frame': 'main' }],
    'the favicon': [
      '/favicon.ico',
      { Accept: 'image/*', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
    ],
    'a health check': ['/healthz', { Accept: '*/*' }],
    'the login page': ['/login', {}],
    'a page below the login': ['/login/help', {}],
    'the way out': ['/logout', {}],
    'an identity provider’s way back': ['/auth/callback', {}],
  }
  for (const [name, [path, headers]] of Object.entries(anonymous)) {
    it(`is an anonymous visitor to ${name}`, async () => {
      const { browser, enrolment } = await pendingBrowser()
      await navigate(browser, path, headers).expect(200, { path, user: null })
      const answer = await giveCode(browser, enrolment.code()).expect(200)
      expect(answer.body.next, 'what is no page is no destination').to.equal('/inside')
    })
  }

  it('is an anonymous visitor to HEAD and to POST', async () => {
    const { browser } = await pendingBrowser()
    await browser.head('/page').set('Accept', HTML).expect(200)
    await browser.post('/page').set('Accept', HTML).expect(200, { path: '/page', user: null })
  })

  it('is led away from a path that only begins like an open one', async () => {
    const { browser } = await pendingBrowser()
    await navigate(browser, '/login-history').expect(303)
    await navigate(browser, '/authors').expect(303)
  })

  it('sees the pages that the host leaves open, and no others', async () => {
    const { browser } = await pendingBrowser({ guard: { open: ['/help'] } })
    await navigate(browser, '/help/phone').expect(200)
    await navigate(browser, '/login').expect(303)
  })

  it('writes the session only if it changes: the same page twice, assets and polling cost nothing', async () => {
    const { host, browser } = await pendingBrowser()
    let writes = 0
    const { set } = host.sessions
    host.sessions.set = (...args: Parameters<typeof set>) => {
      writes += 1
      set.apply(host.sessions, args)
    }
    await browser.get('/status').set('Accept', JSON_TYPE).expect(200)
    await navigate(browser, '/page', { 'Sec-Fetch-Dest': 'image' }).expect(200)
    expect(writes).to.equal(0)
    await navigate(browser, '/page').expect(303)
    expect(writes).to.equal(1)
    await navigate(browser, '/page').expect(303)
    expect(writes).to.equal(1)
    await navigate(browser, '/other').expect(303)
    expect(writes).to.equal(2)
  })

  it('passes no page by another way to write its path', async () => {
    // Trailing and doubled slashes, case, encoding, a body field, a method override.
    const { browser } = await pendingBrowser()
    for (const path of [
      '/inside',
      '/inside/',
      '/INSIDE',
      '//inside',
      '/%69nside',
      '/inside?verified=true',
    ]) {
      const answer = await browser.get(path).set('Accept', JSON_TYPE)
      expect(answer.body.user ?? null, path).to.equal(null)
    }
    const override = browser.post('/inside').set('X-HTTP-Method-Override', 'GET')
    const answer = await override.send({
      verified: true,
      _method: 'GET',
      secondStep: { verified: 1 },
    })
    expect(answer.body.user).to.equal(null)
  })

  it('can cancel, and is then nobody', async () => {
    const { browser, enrolment } = await pendingBrowser()
    const cancel = browser.post('/second-step/cancel').set('Accept', JSON_TYPE)
    await cancel.expect(200, { status: 'cancelled' })
    const answer = await giveCode(browser, enrolment.code()).expect(401)
    expect(answer.body.code).to.equal('not-signed-in')
    await navigate(browser, '/page').expect(200)
  })

  it('can cancel without a pending login, and from the page', async () => {
    const host = makeHost()
    const cancel = () => browserOf(host).post('/second-step/cancel')
    await cancel().set('Accept', JSON_TYPE).expect(200, { status: 'cancelled' })
    await cancel().set('Accept', HTML).expect(303).expect('Location', '/login')
  })

  it('can sign in as somebody else instead', async () => {
    const { browser } = await pendingBrowser()
    await passFirstStep(browser, bob).expect(302)
    await browser.get('/inside').expect(200, { user: 'bob', status: 'none' })
  })
})
