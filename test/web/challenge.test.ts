import { expect } from 'chai'
import { browserOf, enrol, giveCode, HTML, JSON_TYPE, passFirstStep, signIn } from '../support/browser.js'
import { ann, makeHost } from '../support/host.js'

describe('the challenge', () => {
  it('lets a user in who gives the code of his authenticator', async () => {
    const host = makeHost()
    const enrolment = await enrol(host, ann)
    const browser = browserOf(host)
    const login = await passFirstStep(browser, ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'code-required', next: '/second-step/challenge' })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    const answer = await giveCode(browser, enrolment.code()).expect(200)
    expect(answer.body).to.deep.equal({ status: 'signed-in', method: 'totp', backupCodesLeft: 10, next: '/inside' })
    const inside = await browser.get('/inside').expect(200)
    expect(inside.body).to.deep.equal({ user: 'ann', status: 'verified' })
  })
})
