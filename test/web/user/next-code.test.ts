// A code works once. Whoever comes to the settings seconds after signing in types the code that the
// app still shows, and is told that it is wrong.

import { expect } from 'chai'
import { getPage } from '../../support/answers.js'
import { browserOf, passFirstStep, signIn } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann } from '../../support/host.js'
import { enrolledVisit } from '../../support/visits.js'

const NEXT = (seconds: number) => `The next one comes in ${seconds} second`
const USED = 'has already been used'

describe('a page that asks for a code of its own', () => {
  for (const path of ['/second-step/', '/second-step/fresh']) {
    it(`says how long the present one cannot be used: ${path}`, async () => {
      const { host, browser, enrolment } = await enrolledVisit()
      await signIn(browser, ann, enrolment)
      const left = 30 - (Math.floor(host.system.now() / SECOND) % 30)
      const at = async () => (await getPage(browser, path).expect(200)).text
      expect(await at()).to.include(NEXT(left))
      expect(await at()).to.include(`data-for-seconds="${left}"`)
      host.system.advance((left - 1) * SECOND)
      expect(await at()).to.include(NEXT(1))
      host.system.advance(SECOND)
      expect(await at()).to.not.include(USED)
    })
  }

  it('tells nobody who has only the password that the owner has just signed in', async () => {
    const { host, browser, enrolment } = await enrolledVisit()
    await signIn(browser, ann, enrolment)
    const thief = browserOf(host)
    await passFirstStep(thief, ann).expect(200)
    expect((await getPage(thief, '/second-step/challenge').expect(200)).text).to.not.include(USED)
  })
})
