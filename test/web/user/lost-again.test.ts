// The attack: somebody who has the password asks for a reset mail twice. What the page says of the
// limits must not tell them whether the address was right, and so that it is the owner's.

import { expect } from 'chai'
import { getPage, postForm } from '../../support/answers.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { type LostVisit, lostVisit, member } from '../../support/lost.js'
import { pendingBrowser } from '../../support/visits.js'

const LOST = '/second-step/lost'
const WRONG = 'other@acme.example'

/** Asks in a browser of one's own, and sees the page after it. */
async function askedOf({ host, browser, idle }: LostVisit, email: string, wait = 0) {
  host.system.advance(wait)
  const { headers, status } = await postForm(browser, LOST, { email })
  expect([status, headers.location]).to.deep.equal([303, `${LOST}?sent=1`])
  await idle()
  return (await getPage(browser, `${LOST}?sent=1`).expect(200)).text
}

function nextIn(page: string): string | undefined {
  return /<time datetime="([^"]*)"/.exec(page)?.[1]
}

/** As pages have it: whole minutes, never too early. */
function minuteOf(at: number): string {
  return new Date(Math.ceil(at / MINUTE) * MINUTE).toISOString()
}

describe('the page after a request for a reset mail', () => {
  it('says when the next one can go, in the time that really remains', async () => {
    const visit = await lostVisit()
    const first = await askedOf(visit, member.email)
    const next = minuteOf(visit.host.system.now() + 2 * MINUTE)
    expect(first).to.contain('an e-mail is on its way')
    expect(nextIn(first)).to.equal(next)
    const second = await askedOf(visit, member.email, 70 * SECOND)
    expect(second).to.contain('no new one was sent').and.not.contain('on its way')
    expect(nextIn(second)).to.equal(next)
    visit.host.system.advance(50 * SECOND)
    const page = await getPage(visit.browser, `${LOST}?sent=1`)
    expect(page.text).to.contain('You can ask for another one now.')
  })

  it('is the same, to the byte, for a right address and a wrong one', async () => {
    const [right, wrong] = [await lostVisit(), await lostVisit()]
    for (const wait of [0, 70 * SECOND, 0, 60 * SECOND, 2 * MINUTE, 2 * MINUTE]) {
      const [one, other] = [
        await askedOf(right, member.email, wait),
        await askedOf(wrong, WRONG, wait),
      ]
      expect(one).to.equal(other)
    }
    expect(right.mails).to.have.length(1)
  })

  it('goes by the address that was typed: a typing error costs no wait', async () => {
    const visit = await lostVisit()
    await askedOf(visit, WRONG)
    const page = await askedOf(visit, member.email, 30 * SECOND)
    expect(page).to.contain('on its way')
    expect(nextIn(page)).to.equal(minuteOf(visit.host.system.now() + 2 * MINUTE))
  })

  it('knows nothing of what another login asked for', async () => {
    const visit = await lostVisit()
    await askedOf(visit, member.email)
    const browser = await pendingBrowser(visit.host)
    const page = await askedOf({ ...visit, browser }, member.email, 10 * SECOND)
    expect(page).to.contain('on its way')
  })
})
