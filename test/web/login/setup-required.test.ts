import { expect } from 'chai'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann, type Host, makeHost } from '../../support/host.js'
import { setPolicy } from '../../support/visits.js'

const SETUP = '/second-step/setup'

async function secretShown(browser: Browser): Promise<string> {
  const { body } = await getJson(browser, SETUP).expect(200)
  return body.secret
}

const codeFor = ({ system }: Host, secret: string) =>
  virtualAuthenticator(secret).code(system.now())

const confirm = (browser: Browser, code: string) => postJson(browser, SETUP, { code })

describe('a set-up that the policy requires', () => {
  it('comes before anything else, and signs the pending login in', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    const login = await passFirstStep(browser, ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'setup-required', next: SETUP })
    await getPage(browser, '/inside?page=2').expect(303).expect('Location', SETUP)
    const secret = await secretShown(browser)
    await getJson(browser, '/inside').expect(401)
    const answer = await confirm(browser, codeFor(host, secret)).expect(200)
    expect(answer.body.next).to.equal('/inside?page=2')
    await browser.get('/inside').expect(200, { user: 'ann', status: 'verified' })
  })

  it('can be left from its page, and a signed-in one has no such way', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann).expect(200)
    const cancel = 'action="/second-step/cancel"'
    expect((await getPage(browser, SETUP).expect(200)).text).to.include(cancel)
    const free = browserOf(makeHost())
    await passFirstStep(free, ann).expect(302)
    expect((await getPage(free, SETUP).expect(200)).text).to.not.include(cancel)
  })

  it('is each pending login’s own, and the latest one’s', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const [first, second] = [browserOf(host), browserOf(host)]
    for (const browser of [first, second]) await passFirstStep(browser, ann).expect(200)
    const secrets = [await secretShown(first), await secretShown(second)]
    expect(new Set(secrets)).to.have.length(2)
    const late = await confirm(first, codeFor(host, secrets[0] ?? ''))
    expectProblem(late, 'setup-expired', 410)
    await confirm(second, codeFor(host, secrets[1] ?? '')).expect(200)
    await getJson(first, '/inside').expect(401, { user: null })
  })

  it('lasts as long as the pending login', async () => {
    const host = makeHost()
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    host.system.advance(MINUTE)
    const secret = await secretShown(browser)
    host.system.advance(9 * MINUTE)
    expectProblem(await confirm(browser, codeFor(host, secret)), 'sign-in-again', 401)
    await enrol(host, ann)
  })
})
