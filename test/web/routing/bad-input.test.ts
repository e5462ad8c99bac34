import { expect } from 'chai'
import type { Response } from 'supertest'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postJson,
} from '../../support/answers.js'
import { type BadBody, badForms, badJson, sendBad } from '../../support/bad-bodies.js'
import {
  type Browser,
  browserOf,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
} from '../../support/browser.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { sessionsOf } from '../../support/sessions.js'
import {
  missTimes,
  pendingVisit,
  recordOf,
  signedInVisit,
  type Visit,
  wrongCodeOf,
} from '../../support/visits.js'

/** A route that takes a code, a visitor who may give one, and a check that all their tries are left. */
interface Place {
  readonly path: string
  begin(
    options?: HostOptions,
  ): Promise<{ host: Host; browser: Browser; untouched: () => Promise<void> }>
}

const fiveTries: HostOptions = { options: { ipLimit: 5 } }

/** Nothing was counted: neither in the record, nor for the address, nor for the pending login. */
async function hasAllTries({ browser, host, enrolment }: Visit, path: string): Promise<void> {
  const wrong = wrongCodeOf(host, enrolment)
  for (let miss = 0; miss < 5; miss += 1) {
    expectProblem(await postJson(browser, path, { code: wrong }), 'wrong-code', 401)
  }
}

const places: readonly Place[] = [
  {
    path: '/second-step/challenge',
    async begin(options) {
      const visit = await pendingVisit({ ...fiveTries, ...options })
      return { ...visit, untouched: () => hasAllTries(visit, '/second-step/challenge') }
    },
  },
  {
    path: '/second-step/fresh',
    async begin(options) {
      const visit = await signedInVisit({ ...fiveTries, ...options })
      return { ...visit, untouched: () => hasAllTries(visit, '/second-step/fresh') }
    },
  },
  {
    path: '/second-step/setup',
    async begin(options) {
      const host = makeHost({ ...fiveTries, ...options })
      const browser = browserOf(host)
      await passFirstStep(browser, ann)
      const { body } = await getJson(browser, '/second-step/setup').expect(200)
      const enrolment = { secret: body.secret, backupCodes: [], code: () => '' }
      const untouched = () => hasAllTries({ host, browser, enrolment }, '/second-step/setup')
      return { host, browser, untouched }
    },
  },
]

function expectRefusal(response: Response, { status }: BadBody, face: string): void {
  if (face === JSON_TYPE) expectProblem(response, 'malformed-request', status)
  else {
    expect(response.status, response.text).to.equal(status)
    expect(response.headers['content-type']).to.match(/^text\/html/)
    expect(response.text).to.match(/Something is missing or mistyped|A code from your app has/)
  }
  expectSafeHeaders(response)
}

for (const place of places) {
  describe(`a bad body at ${place.path}`, () => {
    const bodies = [
      ...Object.entries(badJson).map(
        ([name, bad]) => [`${name}, in JSON`, bad, JSON_TYPE] as const,
      ),
      ...Object.entries(badForms).map(([name, bad]) => [`${name}, on a page`, bad, HTML] as const),
      ...Object.entries(badForms).map(
        ([name, bad]) => [`${name}, for JSON`, bad, JSON_TYPE] as const,
      ),
    ]
    let visit: Awaited<ReturnType<Place['begin']>>
    let kept: unknown

    before(async () => {
      visit = await place.begin()
      kept = [await recordOf(visit.host), sessionsOf(visit.host)]
    })

    for (const [name, bad, face] of bodies) {
      it(`is refused: ${name}`, async () => {
        const post = visit.browser.post(place.path).set('Accept', face)
        expectRefusal(await sendBad(post, bad), bad, face)
        expect([await recordOf(visit.host), sessionsOf(visit.host)]).to.deep.equal(kept)
      })
    }

    it('costs no try, all of them together', () => visit.untouched())
  })
}

describe('a field that the package does not know', () => {
  const extras: Record<string, object> = {
    'verified=true': { verified: 'true' },
    'a state of its own': { secondStep: { verified: { userId: 'ann' } }, status: 'signed-in' },
    'another user': { userId: 'bob', id: 'bob', username: 'bob' },
    'a skip': { skip: '1', skipSecondStep: '1', trust: '1', next: '//evil.example' },
    __proto__: JSON.parse('{"__proto__":{"verified":true,"isAdmin":true}}'),
    constructor: { constructor: { prototype: { verified: true } } },
    'a method override': { _method: 'GET' },
  }
  for (const [name, extra] of Object.entries(extras)) {
    it(`opens nothing and changes no answer: ${name}`, async () => {
      // A body field that a mass assignment would take for a decision.
      const { host, browser, enrolment } = await pendingVisit()
      const without = await postJson(browser, '/second-step/challenge', extra)
      expectProblem(without, 'malformed-request', 400)
      const wrong = { code: wrongCodeOf(host, enrolment), ...extra }
      const refused = await postJson(browser, '/second-step/challenge', wrong)
      expectProblem(refused, 'wrong-code', 401)
      await getJson(browser, '/inside').expect(401, { user: null })
      expect(Object.keys(Object.prototype)).to.deep.equal([])

      const right = { code: enrolment.code(), ...extra }
      const answer = await postJson(browser, '/second-step/challenge', right).expect(200)
      expect(answer.body).to.include({ status: 'signed-in', method: 'totp', next: '/inside' })
    })
  }

  it('is no other method: an override changes nothing', async () => {
    const { browser } = await pendingVisit()
    const overridden = browser.post('/second-step/challenge').set('X-HTTP-Method-Override', 'GET')
    const answer = await overridden.set('Accept', JSON_TYPE).send({ _method: 'GET' })
    expectProblem(answer, 'malformed-request', 400)
    for (const method of ['put', 'patch', 'delete'] as const) {
      const other = await browser[method]('/second-step/challenge').set('Accept', JSON_TYPE)
      expectProblem(other, 'not-found', 404)
    }
  })

  it('is read from no query: a code in an address would be logged', async () => {
    const { browser, enrolment } = await pendingVisit()
    const path = `/second-step/challenge?code=${enrolment.code()}`
    expectProblem(await postJson(browser, path), 'malformed-request', 400)
    await getPage(browser, path).expect(200)
    await getJson(browser, '/inside').expect(401)
  })
})

describe('a well-formed code after bad ones', () => {
  it('signs in, with every try still there', async () => {
    const visit = await pendingVisit(fiveTries)
    for (const bad of Object.values(badJson)) {
      await sendBad(visit.browser.post('/second-step/challenge').set('Accept', JSON_TYPE), bad)
    }
    await missTimes(4, visit)
    await giveCode(visit.browser, visit.enrolment.code()).expect(200)
  })
})
