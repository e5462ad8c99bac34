// What the host says of a user is asked once and carried: a `describe` that takes its time, or asks a
// database, must not be paid for several times a request.

import { expect } from 'chai'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, type HostUser } from '../../support/host.js'
import { enrolledVisit, signedInVisit } from '../../support/visits.js'

/** Counts the calls of `describe` by the user's id. */
function counting() {
  const described: string[] = []
  const describe = (user: HostUser) => {
    described.push(String(user.id))
    return user
  }
  const during = async (act: () => PromiseLike<unknown>) => {
    described.length = 0
    await act()
    return [...described]
  }
  return { options: { describe }, during }
}

describe('the host’s `describe`', () => {
  it('is asked once by a guarded request of a signed-in user', async () => {
    const { options, during } = counting()
    const { browser } = await signedInVisit({ options })
    expect(await during(() => browser.get('/inside').expect(200))).to.deep.equal(['ann'])
    expect(await during(() => getJson(browser, '/second-step/'))).to.deep.equal(['ann'])
  })

  it('is asked once by each of the two steps of a login', async () => {
    const { options, during } = counting()
    const { host, enrolment } = await enrolledVisit({ options })
    const browser = browserOf(host)
    expect(await during(() => passFirstStep(browser, ann))).to.deep.equal(['ann'])
    expect(await during(() => giveCode(browser, enrolment.code()))).to.deep.equal(['ann'])
  })

  it('is asked once for each look at somebody by an admin’s reset', async () => {
    const { options, during } = counting()
    const { host, browser } = await adminVisit(options)
    await enrol(host, ann)
    // The session’s admin at the guard; the present one once the body is there; the user.
    const reset = () => postJson(browser, `${ADMIN}/users/ann/reset`).expect(200)
    expect(await during(reset)).to.deep.equal(['ada', 'ada', 'ann'])
  })
})
