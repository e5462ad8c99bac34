// The attack: somebody reads the old mailbox and knows the password. They ask for a reset, whose link
// goes to that mailbox. The owner changes the address, which ends the reset. The thief waits until the
// address is changed back, or changes it back from a stolen session, and the old link works again.

import { expect } from 'chai'
import { type Counters, errors } from '../../../lib/index.js'
import { expectProblem, getJson, postJson } from '../../support/answers.js'
import { browserOf, giveCode, signIn } from '../../support/browser.js'
import { DAY, HOUR } from '../../support/clock.js'
import { ann, makeHost } from '../../support/host.js'
import { hasLink, type LostVisit, lostVisit, member } from '../../support/lost.js'
import { authenticatorOf } from '../../support/records.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const LOST = '/second-step/lost'
const moved = { ...member, email: 'ann@new.example' }

/** Changes the address; `backAfter` is what looks at the user before it is changed back. */
async function changeAndBack({ users }: LostVisit, backAfter: () => Promise<unknown>) {
  users.set('ann', moved)
  await backAfter()
  users.set('ann', member)
}

/** Counters with room for two mails in two minutes. */
const endless: Counters = {
  counter: () => ({
    take: async (_key, limit) => ({ taken: true, left: limit, retryAfter: 0 }),
    giveBack: async () => undefined,
    taken: async () => 0,
  }),
}

async function expectDeadLink({ host }: LostVisit, link: string): Promise<void> {
  const browser = await pendingBrowser(host)
  expectProblem(await getJson(browser, link), 'link-expired', 410)
  expectProblem(await postJson(browser, link), 'link-expired', 410)
}

async function expectDead(visit: LostVisit, link: string): Promise<void> {
  const { host } = visit
  await expectDeadLink(visit, link)
  expect((await recordOf(host)).mailReset).to.equal(null)
  expect(authenticatorOf(await recordOf(host))).not.to.equal(null)
}

/** What ends a reset for good while the address is another one. */
const looks: Record<string, (visit: LostVisit, link: string) => Promise<unknown>> = {
  'its page': ({ browser }, link) => getJson(browser, link).expect(410),
  'its button': ({ browser }, link) => postJson(browser, link).expect(410),
  'its cancel button': ({ browser }, link) => postJson(browser, `${link}/cancel`).expect(410),
  'a request for another mail': ({ ask }) => ask('other@acme.example'),
  'emailChanged()': ({ host }) => host.secondStep.emailChanged('ann'),
}

describe('an address that is changed and changed back', () => {
  for (const [what, look] of Object.entries(looks)) {
    it(`does not revive a link that ${what} has met meanwhile`, async () => {
      const visit = await lostVisit()
      await visit.ask()
      const link = visit.link()
      await changeAndBack(visit, () => look(visit, link))
      await expectDead(visit, link)
    })

    it(`does not revive a reset that waits, which ${what} has met meanwhile`, async () => {
      const visit = await lostVisit({ lost: { delay: '24h' } })
      await visit.ask()
      const link = visit.link()
      await changeAndBack(visit, () => look(visit, link))
      visit.host.system.advance(DAY)
      await expectDead(visit, link)
    })
  }

  it('does not revive a reset where the guard has met the user with another address', async () => {
    const person = { ...member }
    const visit = await lostVisit({ lost: { delay: '24h' } }, [person])
    const { host, enrolment, ask } = visit
    const inside = browserOf(host)
    await signIn(inside, ann, enrolment)
    await ask()
    const link = visit.link()
    Object.assign(person, { email: moved.email })
    await getJson(inside, '/inside').expect(200)
    Object.assign(person, { email: member.email })
    host.system.advance(DAY)
    await expectDead(visit, link)
  })

  it('does not end a reset where a session alone has the old address', async () => {
    // A host that keeps whole users in the session: what it says there may be of yesterday.
    const visit = await lostVisit({ lost: { delay: '24h' } })
    const { host, enrolment, ask, users } = visit
    const inside = browserOf(host)
    await signIn(inside, ann, enrolment)
    users.set('ann', moved)
    await ask(moved.email)
    await getJson(inside, '/inside').expect(200)
    host.system.advance(DAY)
    await postJson(await pendingBrowser(host), visit.link()).expect(200)
  })

  it('does not keep a new reset from beginning, at the new address', async () => {
    const visit = await lostVisit({ lost: { delay: '24h' }, counters: endless })
    await visit.ask()
    const link = visit.link()
    visit.users.set('ann', moved)
    visit.host.system.advance(HOUR)
    await visit.ask(moved.email, await pendingBrowser(visit.host))
    expect(visit.mails.findLast(({ text }) => text.includes(LOST))?.to).to.equal(moved.email)
    visit.host.system.advance(DAY)
    await expectDeadLink(visit, link)
    await postJson(await pendingBrowser(visit.host), visit.link()).expect(200)
  })
})

describe('emailChanged()', () => {
  it('ends the reset, says so, and leaves sessions, pending logins and codes alone', async () => {
    const visit = await lostVisit()
    const { host, browser, enrolment, ask } = visit
    const inside = browserOf(host)
    await signIn(inside, ann, enrolment)
    await ask()
    const heard: string[] = []
    host.secondStep.events.on('event', ({ type }) => heard.push(type))
    await host.secondStep.emailChanged('ann')
    await host.secondStep.emailChanged('ann')
    expect(heard).to.deep.equal(['mail-reset-cancelled'])
    await getJson(inside, '/inside').expect(200)
    await giveCode(browser, enrolment.backupCodes[0]).expect(200)
  })

  it('ends a reset whose mail is under way, asked for before the address changed', async () => {
    const visit = await lostVisit()
    const { host, users, ask, mails } = visit
    const { store } = host
    const write = store.write.bind(store)
    store.write = async (record, version) => {
      // The host changes the address between our look at it and the write.
      if (record.mailReset !== null && users.get('ann') === member) {
        users.set('ann', moved)
        await host.secondStep.emailChanged('ann')
      }
      return write(record, version)
    }
    await ask()
    users.set('ann', member)
    expect((await recordOf(host)).mailReset).to.equal(null)
    expect(mails.filter(hasLink)).to.deep.equal([])
  })

  it('refuses what is no id', async () => {
    const { secondStep } = makeHost()
    const refused = await secondStep.emailChanged('').catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(errors.ConfigurationError)
  })
})
