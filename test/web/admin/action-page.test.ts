import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob } from '../../support/host.js'
import { recordOf, setPolicy } from '../../support/visits.js'

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

  // The mistake: a pause that the policy overrides has no button, and comes back unseen with the next policy.
  it('ends a pause that does not count now, and says that it does not', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${ANN}/pause`, { days: 'forever' }).expect(200)
    expect((await getPage(browser, `${ANN}/resume`).expect(200)).text).to.contain('again at once')
    await setPolicy(host, { mode: 'required' })
    for (const page of [ANN, `${ANN}/resume`]) {
      const { text } = await getPage(browser, page).expect(200)
      expect(text).to.contain('the pause has no effect now').and.not.contain('again at once')
    }
    await postForm(browser, `${ANN}/resume`).expect(303)
    expect((await recordOf(host, 'ann')).pausedUntil).to.equal(null)
    expect((await getPage(browser, ANN)).text).not.to.contain(`${ANN}/resume`)
  })

  // The mistake: the second step is off for everybody, and an admin who ends a pause or resets a user expects that the
  // next sign-in asks for it.
  it('promises no second step where the policy has switched it off', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await setPolicy(host, { mode: 'off' })
    const row = /<tr role="row">(?:(?!<\/tr>).)*users\/ann"/s
    const { text: table } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(table.match(row)?.[0]).to.contain('badge off">Not in use<')
    for (const page of [ANN, `${ANN}/reset`]) {
      const { text } = await getPage(browser, page).expect(200)
      expect(text).to.contain('badge off">Not in use<').and.contain('nobody asks them for it')
      expect(text).not.to.match(/at their next sign-in, within 7 days|must set up a new device by/)
    }
    await postJson(browser, `${ANN}/pause`, { days: 3 }).expect(200)
    const { text } = await getPage(browser, `${ANN}/resume`).expect(200)
    expect(text).to.contain('once the policy asks for it again').and.not.contain('again at once')
    for (const ids of ['ids=ann', 'ids=ann&ids=otto']) {
      const several = await postForm(browser, `${ADMIN}/bulk`, `ask=1&action=resume&${ids}`)
      expect(several.text, ids).to.contain('nobody asks them for it')
      const isAskedAgain = several.text.includes('again at once')
      expect(isAskedAgain, 'for admins, off counts as optional').to.equal(ids.includes('otto'))
    }
    await setPolicy(host, { mode: 'optional' })
    expect((await getPage(browser, ANN)).text).not.to.contain('nobody asks them for it')
  })

  // The mistake: two users have one name, and the admin reads the codes out to the wrong one.
  it('says whose codes and changes they are by more than a name', async () => {
    const { host, browser } = await adminVisit()
    for (const user of [ann, bob]) await enrol(host, user)
    const { text } = await postForm(browser, `${ANN}/backup-codes`)
    expect(text).to.contain('<bdi>Ann</bdi> · <bdi>ann@acme.example</bdi>')
    const asked = 'ask=1&action=reset&ids=ann&ids=bob&ids=nobody'
    const { text: several } = await postForm(browser, `${ADMIN}/bulk`, asked).expect(200)
    expect(several).to.contain('<li><bdi>Ann</bdi> · <bdi>ann@acme.example</bdi>')
    expect(several).to.contain('<li><bdi>Bob</bdi> · <bdi>bob</bdi>')
    expect(several).to.contain('<li><bdi>nobody</bdi></li>')
    expect((await getPage(browser, `${ADMIN}/users/bob/reset`)).text).to.contain('· <bdi>bob</bdi>')
  })

  // The mistake: an admin makes backup codes, and nobody expects that the user's browsers are asked for one.
  it('says of browsers that are trusted what becomes of them', async () => {
    const changes = [
      ['pause', { days: 1 }],
      ['resume', {}],
      ['backup-codes', {}],
      ['one-time-code', {}],
      ['unlock', {}],
      ['note', { reason: 'seen' }],
    ] as const
    const { host, browser } = await adminVisit({ trustedBrowsers: { days: 14 } })
    const enrolment = await enrol(host, ann)
    const theirs = browserOf(host)
    await passFirstStep(theirs, ann).expect(200)
    host.system.advance(30 * SECOND)
    const proof = { code: enrolment.code(), trust: '1' }
    await postJson(theirs, '/second-step/challenge', proof).expect(200)
    const { trustedBrowsers } = await recordOf(host, 'ann')
    for (const [action, body] of changes) {
      if (action === 'resume') await postJson(browser, `${ANN}/pause`, { days: 1 }).expect(200)
      const record = await recordOf(host, 'ann')
      const next = { ...record, trustedBrowsers, version: record.version + 1, writeId: action }
      expect(await host.store.write(next, record.version)).to.equal(true)
      const { text } = await getPage(browser, `${ANN}/${action}`)
      await postJson(browser, `${ANN}/${action}`, body).expect(200)
      const isTrusted = (await recordOf(host, 'ann')).trustedBrowsers.length > 0
      expect([action, text.includes('1 browser is no longer trusted.')]).to.deep.equal([
        action,
        !isTrusted,
      ])
    }
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
