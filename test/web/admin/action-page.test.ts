import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { getPage, postForm } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { recordOf } from '../../support/visits.js'

const ANN = `${ADMIN}/users/ann`

describe('GET /users/:id/:action', () => {
  it('asks again, says what ends for this user and until when, and changes nothing', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const before = await recordOf(host, 'ann')
    for (let load = 0; load < 3; load += 1) {
      const { text } = await getPage(browser, `${ANN}/reset`).expect(200)
      expect(text).to.contain('1 device is removed.')
      expect(text).to.contain('10 unused backup codes stop working.')
      expect(text).to.match(/must set up a new device by <time datetime="2026-\d\d-\d\dT/)
      expect(text).to.contain(`action="${ANN}/reset"`)
    }
    expect(await recordOf(host, 'ann')).to.deep.equal(before)
    const { headers } = await postForm(browser, `${ANN}/reset`).expect(303)
    expect(headers.location).to.equal(ANN)
    expect((await recordOf(host, 'ann')).mustSetUp).not.to.equal(null)
  })

  it('has both pauses on one page', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const { text } = await getPage(browser, `${ANN}/pause`).expect(200)
    expect(text).to.contain('name="days" type="text"').and.contain('name="days" value="forever"')
    expect(text).not.to.contain('device is removed')
  })

  it('leads to the user’s page where there is nothing to do, or nothing that this admin may do', async () => {
    const { host, browser } = await adminVisit({
      canAdminister: (_actor, _user, action) => action !== 'pause',
    })
    await enrol(host, ann)
    const paths = [
      `${ANN}/pause`,
      `${ANN}/resume`,
      `${ADMIN}/users/bob/reset`,
      `${ADMIN}/users/ada/note`,
    ]
    for (const path of paths) {
      const { headers } = await getPage(browser, path).expect(303)
      expect(headers.location, path).to.equal(path.replace(/\/[^/]+$/, ''))
    }
    expect((await getPage(browser, `${ANN}/remove-authenticator`)).status).to.equal(404)
    expect((await getPage(browser, `${ADMIN}/users/nobody/reset`)).status).to.equal(404)
  })

  it('leads to a fresh code and back to itself', async () => {
    const { host, browser, enrolment } = await adminVisit()
    await enrol(host, ann)
    host.system.advance(6 * MINUTE)
    const { text } = await getPage(browser, `${ANN}/reset`).expect(200)
    expect(text).to.contain('in the last 5 minutes')
    const { headers } = await postForm(browser, '/second-step/fresh', { code: enrolment.code() })
    expect(headers.location).to.equal(`${ANN}/reset`)
  })
})
