import { expect } from 'chai'
import type { SecondStepOptions } from '../../lib/index.js'
import { getJson, getPage } from '../support/answers.js'
import { browserOf, giveCode, passFirstStep } from '../support/browser.js'
import { ann, type HostUser, makeHost } from '../support/host.js'
import { pendingVisit } from '../support/visits.js'
import { warningsDuring } from '../support/warnings.js'

type Render = NonNullable<SecondStepOptions<HostUser>['render']>

describe('a `render` of the host’s that makes no page', () => {
  // The visitor saw an empty page with 200, and nobody was told.
  const made: Readonly<Record<string, unknown>> = {
    undefined: undefined,
    'a promise of undefined': Promise.resolve(),
    null: null,
    'an empty text': '',
    'a buffer': Buffer.from('<h1>Page</h1>'),
    'an object': { html: '<h1>Page</h1>' },
  }
  for (const [name, page] of Object.entries(made)) {
    it(`is named: ${name}`, async () => {
      const render = (() => page) as unknown as Render
      const browser = browserOf(makeHost({ options: { render } }))
      await passFirstStep(browser, ann)
      const { text } = await getPage(browser, '/second-step/setup').expect(500)
      expect(text).to.match(/`render` must return the page.*for the page setup it returned/)
    })
  }

  it('changes nothing for JSON, nor for whom a page is made', async () => {
    const render: Render = async (page) => `<h1>${page}</h1>`
    const browser = browserOf(makeHost({ options: { render } }))
    await passFirstStep(browser, ann)
    expect((await getPage(browser, '/second-step/setup').expect(200)).text).to.equal(
      '<h1>setup</h1>',
    )
    await getJson(browser, '/second-step/setup').expect(200)
  })
})

// The request hung for ever where the host's layout came from a database that was away (promise 7).
describe('a `render` of the host’s that does not answer', () => {
  const silence = () => new Promise<never>(() => undefined)
  const renders: Readonly<Record<string, [Render, RegExp]>> = {
    'to one page': [(page) => (page === 'problem' ? '<h1>My 503</h1>' : silence()), /My 503/],
    'to any page': [silence, /<h1>[^<]+<\/h1>/],
    'to one page, and fails at the other': [
      (page) => (page === 'problem' ? Promise.reject(new Error('away')) : silence()),
      /<h1>[^<]+<\/h1>/,
    ],
  }
  for (const [name, [render, expected]] of Object.entries(renders)) {
    it(`is a 503 with a page: ${name}`, async () => {
      const browser = browserOf(makeHost({ options: { render, timeout: 500 } }))
      await passFirstStep(browser, ann)
      const said = await warningsDuring(async () => {
        const { text } = await getPage(browser, '/second-step/setup').expect(503)
        expect(text).to.match(expected)
      })
      expect(said.join()).to.contain('`render` is not available: no answer within 500 ms')
    })
  }
})

describe('an `ipLimit` of the host’s that is no number', () => {
  for (const limit of [undefined, null, Number.NaN, 0, -1, 1.5, '100']) {
    it(`is named: ${String(limit)}`, async () => {
      // Every code was refused as one too many, the right one too.
      const ipLimit = (() => limit) as unknown as () => number
      let asked: (() => number | false) | null = () => 100
      const { browser, enrolment } = await pendingVisit({
        options: { ipLimit: () => (asked ?? ipLimit)() },
      })
      asked = null
      const { text } = await giveCode(browser, enrolment.code()).expect(500)
      expect(text).to.match(/`ipLimit` must answer with a whole number above 0, or false/)
    })
  }

  // The rejection of a promise that nobody waits for ended the process.
  for (const answer of [() => Promise.resolve(100), () => Promise.reject(new Error('away'))]) {
    it(`is named, and ends nothing: ${answer}`, async () => {
      let asked: () => number | false = () => 100
      const { browser, enrolment } = await pendingVisit({ options: { ipLimit: () => asked() } })
      asked = answer as unknown as () => number
      const { text } = await giveCode(browser, enrolment.code()).expect(500)
      expect(text).to.include('ConfigurationError: `ipLimit` must answer at once')
    })
  }
})
