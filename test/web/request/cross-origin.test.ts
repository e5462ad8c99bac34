import { expect } from 'chai'
import type { Request } from 'express'
import { isCrossOrigin } from '../../../lib/web/request/cross-origin.js'
import { expectProblem, expectSafeHeaders } from '../../support/answers.js'
import { browserOf, HTML, JSON_TYPE } from '../../support/browser.js'
import type { HostOptions } from '../../support/host.js'
import { pendingVisit, recordOf, signedInVisit } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const OURS = 'http://127.0.0.1'
const LISTED = 'https://app.acme.example'
const EVIL = 'https://evil.example'

type Row = [origin: string | undefined, fetchSite: string | undefined, refused: boolean]

/** `Origin`, `Sec-Fetch-Site`, and whether an unsafe request with them is refused. */
const rows: readonly Row[] = [
  [OURS, undefined, false],
  [OURS, 'same-origin', false],
  [OURS, 'cross-site', false],
  [LISTED, undefined, false],
  [LISTED, 'same-site', false],
  [undefined, 'same-origin', false],
  [undefined, 'none', false],
  [undefined, undefined, false],
  [EVIL, 'same-origin', false],
  [EVIL, undefined, true],
  [EVIL, 'cross-site', true],
  [EVIL, 'same-site', true],
  ['null', undefined, true],
  ['null', 'cross-site', true],
  ['', undefined, true],
  ['http://127.0.0.1:8080', undefined, true],
  ['https://127.0.0.1', undefined, true],
  ['http://127.0.0.1.evil.example', undefined, true],
  ['http://127.0.0.1/', undefined, true],
  ['http://127.0.0.1, https://evil.example', undefined, true],
  [undefined, 'same-site', true],
  [undefined, 'cross-site', true],
  [undefined, 'Same-Origin', true],
  [undefined, '', true],
]

const named = ([origin, fetchSite]: Row) =>
  `Origin ${origin ?? 'missing'}, Sec-Fetch-Site ${fetchSite ?? 'missing'}`

function headersOf([origin, fetchSite]: Row): Record<string, string> {
  return {
    ...(origin === undefined ? {} : { Origin: origin }),
    ...(fetchSite === undefined ? {} : { 'Sec-Fetch-Site': fetchSite }),
  }
}

const options: HostOptions = {
  options: { origins: [LISTED] },
  routes: ({ app, passport, secondStep }) => {
    passport.use(secondStep.strategy())
    app.post('/own-challenge', passport.authenticate('second-step'), (req, res) => {
      res.json({ user: req.isAuthenticated() })
    })
    app.post('/payout', secondStep.requireFresh(), (_req, res) => res.json({ status: 'done' }))
    app.get('/payout', secondStep.requireFresh(), (_req, res) => res.json({ status: 'shown' }))
    const limit = secondStep.limitPassword()
    app.post('/limited', limit, passport.authenticate('local', { successRedirect: '/inside' }))
  },
}

describe('a request that another site started', () => {
  // Request forgery: another site's page posts a form in the name of the visitor.
  for (const row of rows) {
    it(`is ${row[2] ? 'one' : 'none'} with ${named(row)}`, () => {
      const headers = new Map(Object.entries(headersOf(row)))
      const names: Record<string, string> = { origin: 'Origin', 'sec-fetch-site': 'Sec-Fetch-Site' }
      const get = (name: string) => headers.get(names[name] ?? '')
      const site = { origins: new Set([OURS, LISTED]) }
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect(isCrossOrigin({ method, get } as Request, site), method).to.equal(row[2])
      }
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        expect(isCrossOrigin({ method, get } as Request, site), method).to.equal(false)
      }
    })
  }

  it('is told once for each origin, however often, and of ten at most', async () => {
    const site = { origins: new Set([OURS]) }
    const ask = (origin: string, at: Pick<typeof site, 'origins'> = site) => {
      const get = (name: string) => (name === 'origin' ? origin : undefined)
      isCrossOrigin({ method: 'POST', get } as Request, at)
    }
    // An attacker's page came first, and the host's own mistake was told to nobody.
    const said = await warningsDuring(() => {
      for (const origin of [EVIL, EVIL, LISTED, EVIL, LISTED]) ask(origin)
    })
    expect(said).to.have.length(2)
    expect(said[1]).to.include(LISTED).and.include('`origin`')
    const others = await warningsDuring(() => {
      for (let nth = 0; nth < 30; nth += 1) ask(`https://${nth}.example`)
    })
    expect(others).to.have.length(8)
    const [long, ...more] = await warningsDuring(() => {
      const other = { origins: new Set([OURS]) }
      for (const end of ['a', 'b']) ask(`https://${'x'.repeat(9999)}${end}.example`, other)
    })
    expect(long?.length).to.be.below(600)
    expect(more).to.deep.equal([])
  })

  const sent = rows.filter(([origin, fetchSite]) => origin !== '' && fetchSite !== '')

  it('is refused by the router before anything is looked at, also with the right code', async () => {
    const { host, browser, enrolment } = await pendingVisit(options)
    const before = await recordOf(host)
    for (const row of sent.filter(([, , refused]) => refused)) {
      const post = browser
        .post('/second-step/challenge')
        .set({ ...headersOf(row), Accept: JSON_TYPE })
      const answer = await post.send({ code: enrolment.code() })
      expectProblem(answer, 'cross-origin', 403)
      expectSafeHeaders(answer)
    }
    expect(await recordOf(host)).to.deep.equal(before)
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
  })

  it('is refused at every route that changes something, for whoever it is', async () => {
    const { host, browser } = await signedInVisit(options)
    const before = await recordOf(host)
    const paths = ['/challenge', '/cancel', '/fresh', '/setup', '/backup-codes/saved']
    for (const path of paths) {
      const post = browser.post(`/second-step${path}`).set({ Accept: JSON_TYPE, Origin: EVIL })
      expectProblem(await post.send({ code: '123456' }), 'cross-origin', 403)
    }
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('is told so on a page too', async () => {
    const { browser } = await pendingVisit(options)
    const post = browser.post('/second-step/cancel').set({ Accept: HTML, Origin: EVIL })
    const page = await post.type('form').send('').expect(403).expect('Content-Type', /html/)
    expect(page.text).to.include('came from another site')
  })

  it('is refused by the strategy as by the router', async () => {
    const { host, browser, enrolment } = await pendingVisit(options)
    const before = await recordOf(host)
    for (const row of sent.filter(([, , refused]) => refused)) {
      const post = browser.post('/own-challenge').set(headersOf(row))
      await post.send({ code: enrolment.code() }).expect(403)
    }
    expect(await recordOf(host)).to.deep.equal(before)
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
  })

  it('is none where it comes from the app itself or no browser: router and strategy answer', async () => {
    for (const row of sent.filter(([, , refused]) => !refused)) {
      for (const path of ['/second-step/challenge', '/own-challenge']) {
        const { browser, enrolment } = await pendingVisit(options)
        const post = browser.post(path).set({ ...headersOf(row), Accept: JSON_TYPE })
        await post.send({ code: enrolment.code() }).expect(200)
        await browser.get('/inside').expect(200)
      }
    }
  })

  it('is refused by requireFresh(), however fresh the code: a form of another site makes no payment', async () => {
    const { browser } = await signedInVisit(options)
    for (const row of sent) {
      const refused = row[2]
      const post = browser.post('/payout').set({ ...headersOf(row), Accept: JSON_TYPE })
      const answer = await post.send({ to: 'eve' })
      if (refused) expectProblem(answer, 'cross-origin', 403)
      else expect([named(row), answer.status]).to.deep.equal([named(row), 200])
    }
    await browser.get('/payout').set({ Accept: JSON_TYPE, Origin: EVIL }).expect(200)
  })

  it('is refused by limitPassword(), also with the right password, and counts no attempt', async () => {
    // Login forgery: another site signs its visitor in to the attacker's account, or has hundreds of
    // visitors guess one account's password, each from an address of their own.
    const { host } = await pendingVisit(options)
    const login = (password: string, headers: Record<string, string>) =>
      browserOf(host)
        .post('/limited')
        .set({ ...headers, Accept: JSON_TYPE })
        .send({ username: 'ann', password })
    for (const row of sent.filter(([, , refused]) => refused)) {
      expectProblem(await login('ann-password', headersOf(row)), 'cross-origin', 403)
    }
    for (let guesses = 0; guesses < 12; guesses += 1) {
      expectProblem(await login('guessed', { Origin: EVIL }), 'cross-origin', 403)
    }
    await login('guessed', { Origin: OURS }).expect(401)
    await login('ann-password', { Origin: LISTED }).expect(200)
  })
})
