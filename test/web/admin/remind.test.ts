// A user who has set up nothing is asked to by mail, and nobody fills a mailbox that way.

import { expect } from 'chai'
import type { Mail } from '../../../lib/index.js'
import { ADMIN, adminAt, adminVisit, otherAdmin, putJson, seenBy } from '../../support/admin.js'
import { expectProblem, getPage, postForm, postJson } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { setPolicy } from '../../support/visits.js'

const ANN = `${ADMIN}/users/ann`
const REMIND = `${ANN}/remind`

/** Ada at a host that sends mails. */
async function mailingVisit() {
  const mails: Mail[] = []
  const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
  const mail = { from: 'no-reply@acme.example', transport }
  const visit = await adminVisit({ mail, lost: false })
  /** All that Ann has got. */
  const toAnn = async () => {
    await visit.host.secondStep.close()
    return mails.filter(({ to }) => JSON.stringify(to).includes('ann'))
  }
  return { ...visit, toAnn }
}

describe('POST /users/:id/remind', () => {
  it('asks a user by mail to set up, and changes nothing', async () => {
    const { host, browser, toAnn } = await mailingVisit()
    const before = await host.store.find('ann')
    const { body } = await postJson(browser, REMIND, { reason: 'as we said' }).expect(200)
    expect(body).to.deep.equal({ status: 'reminded' })
    expect(await host.store.find('ann')).to.deep.equal(before)
    const { events } = await seenBy(browser, 'ann')
    const actor = { kind: 'admin', id: 'ada' }
    expect(events[0]).to.deep.include({ type: 'reminded', actor, reason: 'as we said' })
    const mails = await toAnn()
    expect(mails).to.have.length(1)
    expect(mails[0]?.subject).to.include('Please set up your second step')
    expect(mails[0]?.text).to.include('An admin of Acme').and.include('as we said')
    expect(mails[0]?.html).to.include('An admin of Acme')
  })

  // The attack: a stolen admin's session, or one admin after another, fills a user's mailbox.
  it('does so once a day, whoever asks', async () => {
    const { host, browser, toAnn } = await mailingVisit()
    await postJson(browser, REMIND).expect(200)
    expectProblem(await postJson(browser, REMIND), 'too-many-attempts', 429)
    const { browser: other } = await adminAt(host, otherAdmin)
    expectProblem(await postJson(other, REMIND), 'too-many-attempts', 429)
    await postJson(other, `${ADMIN}/users/bob/remind`).expect(200)
    expect(await toAnn()).to.have.length(1)
  })

  it('mails nobody who has a second step', async () => {
    const { host, browser, toAnn } = await mailingVisit()
    await enrol(host, ann)
    await postJson(browser, REMIND).expect(200)
    const { text } = await getPage(browser, ANN).expect(200)
    expect(text).not.to.contain(`action="${REMIND}"`)
    expect((await toAnn()).filter(({ subject }) => subject.includes('Please'))).to.deep.equal([])
  })

  it('is none of who may not act on the user, nor of a session left open', async () => {
    const { host, browser, toAnn } = await mailingVisit()
    expectProblem(await postJson(browser, `${ADMIN}/users/ada/remind`), 'forbidden', 403)
    expectProblem(await postJson(browser, `${ADMIN}/users/otto/remind`), 'forbidden', 403)
    host.system.advance(6 * MINUTE)
    const stale = await postJson(browser, REMIND)
    expectProblem(stale, 'fresh-code-required', 403, '/second-step/fresh')
    expect(await toAnn()).to.deep.equal([])
  })

  it('is refused while the second step is off for the user', async () => {
    const { host, browser, toAnn } = await mailingVisit()
    await setPolicy(host, { mode: 'optional', roles: { user: 'off' } })
    expectProblem(await postJson(browser, REMIND), 'switched-off', 409)
    expect(await toAnn()).to.deep.equal([])
  })

  // Nothing would go out, and the admin would believe that the user was asked.
  it('is refused, and not offered, where the app sends no mails', async () => {
    const { browser } = await adminVisit()
    expectProblem(await postJson(browser, REMIND), 'switched-off', 409)
    expect((await getPage(browser, ANN).expect(200)).text).not.to.contain(`action="${REMIND}"`)
    const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(text).not.to.contain(REMIND).and.not.contain('value="remind"')
  })

  // The mistake: "until" said how long the request holds, where the date is the user's last day.
  it('stands among the events with the day by which it is to be done', async () => {
    const { browser } = await mailingVisit()
    await putJson(browser, `${ADMIN}/policy`, { mode: 'required', graceDays: 7 }).expect(200)
    await postJson(browser, REMIND).expect(200)
    const { text } = await getPage(browser, ANN).expect(200)
    expect(text).to.match(/>Asked to set up the second step<\/strong> · Must set up by: <time /)
  })

  // The mistake: an admin was told of "too many changes", and tried again in a while, all day.
  it('says in the report of several who was reminded already', async () => {
    const { browser } = await mailingVisit()
    await postJson(browser, REMIND).expect(200)
    await postForm(browser, `${ADMIN}/bulk`, 'action=remind&ids=ann').expect(303)
    const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(text).to.contain('This user was reminded in the last 24 hours')
  })

  it('is offered on the page, and for several', async () => {
    const { browser, toAnn } = await mailingVisit()
    expect((await getPage(browser, ANN).expect(200)).text).to.contain(`action="${REMIND}"`)
    const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(text).to.contain('value="remind"').and.contain(`href="${REMIND}"`)
    await postForm(browser, REMIND, {}).expect(303)
    const page = await getPage(browser, ANN).expect(200)
    expect(page.text).to.contain('Done: the reminder is on its way.')
    const asked = { ids: ['ann', 'bob', 'ada'], action: 'remind' }
    const { body } = await postJson(browser, `${ADMIN}/bulk`, asked).expect(200)
    expect(body.done).to.deep.equal(['bob'])
    expect(body.refused).to.deep.equal([
      { id: 'ann', code: 'too-many-attempts' },
      { id: 'ada', code: 'forbidden' },
    ])
    expect(await toAnn()).to.have.length(1)
  })
})
