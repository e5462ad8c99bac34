import { expect } from 'chai'
import { expectProblem, expectSafeHeaders } from '../../support/answers.js'
import { type Browser, browserOf, HTML, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'
import { pendingVisit, setPolicy, signedInVisit } from '../../support/visits.js'

type Method = 'get' | 'post'
type Need = 'pending-code' | 'signed-in' | 'enrolled' | 'set-up'

const BASE = '/second-step'

/** Every route that needs a visitor of some kind; the others are for anybody. */
const routes: readonly [method: Method, path: string, need: Need][] = [
  ['get', '', 'signed-in'],
  ['get', '/challenge', 'pending-code'],
  ['post', '/challenge', 'pending-code'],
  ['get', '/fresh', 'enrolled'],
  ['post', '/fresh', 'enrolled'],
  ['get', '/setup', 'set-up'],
  ['post', '/setup', 'set-up'],
  ['post', '/backup-codes/saved', 'signed-in'],
]

/** Who asks. */
const visitors = {
  anonymous: async () => {
    const host = makeHost()
    return { host, browser: browserOf(host) }
  },
  'pending, code': () => pendingVisit(),
  'pending, set-up': async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    return { host, browser }
  },
  'signed in, not enrolled': async () => {
    const host = makeHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(302)
    return { host, browser }
  },
  'signed in, enrolled': () => signedInVisit(),
  'over, expired': async () => {
    const visit = await pendingVisit()
    visit.host.system.advance(10 * MINUTE)
    return visit
  },
} satisfies Record<string, () => Promise<{ host: Host; browser: Browser }>>

type Answer = 'yes' | readonly [code: string, status: number, next?: string]

const ANONYMOUS = ['not-signed-in', 401] as const
const CODE = ['code-required', 401] as const
const SET_UP = ['setup-required', 403, '/second-step/setup'] as const
const SIGNED_IN = ['already-signed-in', 409, '/'] as const
const NOT_ENROLLED = ['not-enrolled', 409] as const
const ENROLLED = ['already-enrolled', 409] as const
const OVER = ['sign-in-again', 401] as const

/** The table of the contract: what a route needs by who the visitor is. */
const table: Record<Need, Record<keyof typeof visitors, Answer>> = {
  'pending-code': {
    anonymous: ANONYMOUS,
    'pending, code': 'yes',
    'pending, set-up': SET_UP,
    'signed in, not enrolled': SIGNED_IN,
    'signed in, enrolled': SIGNED_IN,
    'over, expired': OVER,
  },
  'signed-in': {
    anonymous: ANONYMOUS,
    'pending, code': CODE,
    'pending, set-up': SET_UP,
    'signed in, not enrolled': 'yes',
    'signed in, enrolled': 'yes',
    'over, expired': OVER,
  },
  enrolled: {
    anonymous: ANONYMOUS,
    'pending, code': CODE,
    'pending, set-up': SET_UP,
    'signed in, not enrolled': NOT_ENROLLED,
    'signed in, enrolled': 'yes',
    'over, expired': OVER,
  },
  'set-up': {
    anonymous: ANONYMOUS,
    'pending, code': CODE,
    'pending, set-up': 'yes',
    'signed in, not enrolled': 'yes',
    'signed in, enrolled': ENROLLED,
    'over, expired': OVER,
  },
}

function ask(browser: Browser, method: Method, path: string, face: string) {
  const request = browser[method](`${BASE}${path}`).set('Accept', face)
  return method === 'get' ? request : request.type(face === HTML ? 'form' : 'json').send('')
}

/** A visitor who may use the route learns only that the empty body has no code. */
const LET_IN = [200, 303, 400]

for (const [who, arrive] of Object.entries(visitors) as [
  keyof typeof visitors,
  () => Promise<{ host: Host; browser: Browser }>,
][]) {
  describe(`a visitor who is ${who}`, () => {
    let host: Host
    let browser: Browser
    let before: unknown

    const stateOf = async () => [await host.store.find('ann'), sessionsOf(host)]

    beforeEach(async () => {
      ;({ host, browser } = await arrive())
      before = await stateOf()
    })

    for (const [method, path, need] of routes) {
      const answer = table[need][who]
      const verb = answer === 'yes' ? 'gets' : `is told ${answer[0]} at`

      it(`${verb} ${method.toUpperCase()} ${path || '/'}, in JSON`, async () => {
        for (const spelled of [path, `${path}/`, path.toUpperCase()]) {
          const response = await ask(browser, method, spelled, JSON_TYPE)
          if (answer === 'yes') expect(response.status, response.text).to.be.oneOf(LET_IN)
          else expectProblem(response, ...answer)
          expectSafeHeaders(response)
        }
        if (answer !== 'yes') expect(await stateOf()).to.deep.equal(before)
      })

      it(`${verb} ${method.toUpperCase()} ${path || '/'}, on a page`, async () => {
        const response = await ask(browser, method, path, HTML)
        expectSafeHeaders(response)
        if (answer === 'yes') {
          expect(response.status, response.text).to.be.oneOf(LET_IN)
          return
        }
        const [code, status, next] = answer
        if (code === 'already-signed-in') {
          expect([response.status, response.headers.location]).to.deep.equal([303, next])
        } else {
          expect(response.status).to.equal(status)
          expect(response.type).to.equal('text/html')
          expect(response.text).to.not.include('name="code"')
          if (next !== undefined) expect(response.text).to.include(`href="${next}"`)
        }
        expect(await stateOf()).to.deep.equal(before)
      })
    }

    it('gets POST /cancel, which signs nobody out who is signed in', async () => {
      const inside = await browser.get('/inside').set('Accept', JSON_TYPE)
      const page = await ask(browser, 'post', '/cancel', HTML).expect(303)
      expect(page.headers.location).to.equal(who.startsWith('signed in') ? '/' : '/login')
      await ask(browser, 'post', '/cancel', JSON_TYPE).expect(200, { status: 'cancelled' })
      const after = await browser.get('/inside').set('Accept', JSON_TYPE)
      expect([after.status, after.body]).to.deep.equal([inside.status, inside.body])
    })

    it('finds no route that there is not, whatever the method', async () => {
      const known = new Set(routes.map(([method, path]) => `${method} ${path}`))
      for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
        for (const path of [
          '',
          '/challenge',
          '/fresh',
          '/setup',
          '/cancel',
          '/backup-codes/saved',
        ]) {
          if (known.has(`${method} ${path}`) || `${method} ${path}` === 'post /cancel') continue
          const response = await browser[method](`${BASE}${path}`).set('Accept', JSON_TYPE)
          expectProblem(response, 'not-found', 404)
        }
      }
    })
  })
}
