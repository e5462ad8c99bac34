import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import type { SecondStepOptions } from '../../../lib/index.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, giveCode, signIn } from '../../support/browser.js'
import { DAY, HOUR, MINUTE } from '../../support/clock.js'
import { ann, type Host, type HostUser, makeHost } from '../../support/host.js'
import { type LostVisit, linkIn, lostHost, lostVisit, member } from '../../support/lost.js'
import { authenticatorOf } from '../../support/records.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const LOST = '/second-step/lost'
const CHALLENGE = '/second-step/challenge'
const SETTINGS = '/second-step/'

type Lost = NonNullable<SecondStepOptions<HostUser>['lost']>

/** A problem that says when the wait is over. */
function expectNotYet(answer: Awaited<ReturnType<typeof postJson>>, availableAt: number): void {
  expect(answer.status).to.equal(409)
  const { code, availableAt: told } = answer.body
  expect([code, told]).to.deep.equal(['not-yet', new Date(availableAt).toISOString()])
}

/** Ann has asked for a reset that waits. */
async function waitingVisit(lost: Lost = { delay: '24h' }) {
  const keys = [randomBytes(32).toString('base64')]
  const visit = await lostVisit({ lost, keys })
  await visit.ask()
  return { ...visit, lost, keys, usableAt: visit.host.system.now() + DAY }
}

/** The same, and Ann is signed in elsewhere. */
async function waitingVisitWithSession() {
  const visit = await lostVisit({ lost: { delay: '24h' } })
  const inside = browserOf(visit.host)
  await signIn(inside, ann, visit.enrolment)
  await visit.ask()
  return { ...visit, browser: inside, usableAt: visit.host.system.now() + DAY }
}

/** Another process of the same host, which looks for waits that are over soon after it started. */
function anotherProcess(
  { host, users }: Pick<LostVisit, 'host' | 'users'>,
  more: Partial<SecondStepOptions<HostUser>>,
): { readonly host: Host; readonly mails: ReturnType<typeof lostHost>['mails'] } {
  const { options, mails } = lostHost({ store: host.store, ...more })
  const own = { ...options.options, users: { findById: async (id: string) => users.get(id) } }
  return { host: makeHost({ ...options, options: own, system: host.system }), mails }
}

describe('a reset by mail with a delay', () => {
  for (const [delay, wait] of [
    ['24h', DAY],
    ['72h', 3 * DAY],
  ] as const) {
    it(`can be used after ${delay}, to the millisecond, and for a day`, async () => {
      const { host, ask, link, mails } = await lostVisit({ lost: { delay } })
      await ask()
      const usableAt = host.system.now() + wait
      expect(mails[0]?.text).to.contain('#cancel').and.contain('From January')
      host.system.advance(wait - 1)
      const browser = await pendingBrowser(host)
      const shown = await getJson(browser, link()).expect(200)
      const availableAt = new Date(usableAt).toISOString()
      expect(shown.body).to.deep.equal({ status: 'valid', availableAt, canReset: true })
      const page = await getPage(browser, link()).expect(200)
      expect(page.text).to.contain('can be used from').and.not.contain('class="danger"')
      expectNotYet(await postJson(browser, link()), usableAt)
      const refused = await postForm(browser, link())
      expect(refused.status).to.equal(409)
      expect(authenticatorOf(await recordOf(host))).not.to.equal(null)
      host.system.advance(DAY)
      await getJson(await pendingBrowser(host), link()).expect(200)
      host.system.advance(1)
      expectProblem(await getJson(await pendingBrowser(host), link()), 'link-expired', 410)
    })
  }

  it('resets when its time has come', async () => {
    const { host, link } = await waitingVisit()
    host.system.advance(DAY)
    await postJson(await pendingBrowser(host), link()).expect(200)
    expect(authenticatorOf(await recordOf(host))).to.equal(null)
  })

  it('is shown with its time where the owner signs in, and can be cancelled there', async () => {
    // Somebody who knows the password asks in silence; the owner must see it before it is ready.
    const { browser, link, usableAt } = await waitingVisit()
    const resetPending = { availableAt: new Date(usableAt).toISOString() }
    expect((await getJson(browser, CHALLENGE).expect(200)).body.resetPending).to.deep.equal(
      resetPending,
    )
    const page = await getPage(browser, CHALLENGE).expect(200)
    expect(page.text).to.contain(`action="${LOST}/cancel"`).and.contain('January 6, 2026')
    const answer = await postForm(browser, `${LOST}/cancel`).expect(303)
    expect(answer.headers.location).to.equal(CHALLENGE)
    expect((await getJson(browser, CHALLENGE).expect(200)).body.resetPending).to.equal(null)
    expectProblem(await getJson(browser, link()), 'link-expired', 410)
  })

  // The text is "the link can be used from … on", and no link can any more.
  it('is not shown after its key has left the ring', async () => {
    const { keys, lost, usableAt, ...visit } = await waitingVisit()
    const newer = randomBytes(32).toString('base64')
    const availableAt = new Date(usableAt).toISOString()
    for (const [ring, shown] of [
      [[newer, ...keys], { availableAt }],
      [[newer], null],
    ] as const) {
      const { host } = anotherProcess(visit, { lost, keys: ring })
      const browser = await pendingBrowser(host)
      const { body } = await getJson(browser, CHALLENGE).expect(200)
      expect(body.resetPending).to.deep.equal(shown)
      const page = await getPage(browser, CHALLENGE).expect(200)
      expect(page.text.includes(`action="${LOST}/cancel"`)).to.equal(shown !== null)
    }
  })

  it('is shown in the settings of a signed-in user, and can be cancelled there', async () => {
    const { host, browser, usableAt } = await waitingVisitWithSession()
    const resetPending = { availableAt: new Date(usableAt).toISOString() }
    expect((await getJson(browser, SETTINGS).expect(200)).body.resetPending).to.deep.equal(
      resetPending,
    )
    const page = await getPage(browser, SETTINGS).expect(200)
    expect(page.text).to.contain(`action="${LOST}/cancel"`)
    const answer = await postForm(browser, `${LOST}/cancel`).expect(303)
    expect(answer.headers.location).to.equal(SETTINGS)
    expect((await getJson(browser, SETTINGS).expect(200)).body.resetPending).to.equal(null)
    expect((await recordOf(host)).mailReset).to.equal(null)
  })

  it('is not restarted by asking again, which answers the same and sends nothing', async () => {
    // Each new ask would move the end: the owner could never reset, and a mail each time.
    const { host, ask, mails } = await waitingVisit()
    const before = await recordOf(host)
    const told: string[] = []
    host.secondStep.events.on('event', ({ type }) => told.push(type))
    for (const later of [0, 12 * HOUR, 12 * HOUR, 12 * HOUR]) {
      host.system.advance(later)
      await ask(member.email, await pendingBrowser(host))
    }
    expect(mails).to.have.length(1)
    expect((await recordOf(host)).mailReset).to.deep.equal(before.mailReset)
    expect(told.filter((type) => type.startsWith('mail-reset'))).to.deep.equal([])
  })

  it('ends when the owner signs in with a code', async () => {
    const { host, browser, enrolment, link, mails, idle } = await waitingVisit()
    await giveCode(browser, enrolment.backupCodes[0]).expect(200)
    expectProblem(await getJson(await pendingBrowser(host), link()), 'link-expired', 410)
    await idle()
    expect(mails.map(({ subject }) => subject)).to.include(
      'Acme: The reset of your second step was cancelled',
    )
  })
})

describe('the second mail of a reset that waits', () => {
  it('comes when the wait is over, with a link of its own that works for a day', async () => {
    const visit = await waitingVisit()
    const { host, lost, keys } = visit
    const first = visit.link()
    host.system.advance(DAY)
    const another = anotherProcess(visit, { lost, keys })
    const [ready] = await once(another.host.secondStep.events, 'mail-reset-ready')
    await another.host.secondStep.close()
    expect(ready?.detail).to.deep.equal({ expiresAt: new Date(host.system.now() + DAY) })
    expect(another.mails).to.have.length(1)
    expect(another.mails[0]?.to).to.equal(member.email)
    expect(another.mails[0]?.subject).to.contain('now')
    const second = linkIn(another.mails[0])
    expect(second).not.to.equal(first)
    host.system.advance(DAY - MINUTE)
    const browser = await pendingBrowser(host)
    for (const link of [first, second]) await getJson(browser, link).expect(200)
    await postJson(browser, second).expect(200)
    for (const link of [first, second]) {
      expectProblem(await postJson(browser, link), 'link-expired', 410)
    }
  })

  it('goes to nobody whose address has changed meanwhile: the reset is over', async () => {
    // Somebody who has got hold of a session changes the address and waits for the mail.
    const visit = await waitingVisit()
    const { host, lost, keys, users } = visit
    users.set('ann', { ...member, email: 'eve@evil.example' })
    host.system.advance(DAY)
    const another = anotherProcess(visit, { lost, keys })
    await once(another.host.secondStep.events, 'mail-reset-cancelled')
    await another.host.secondStep.close()
    expect(another.mails.filter(({ text }) => text.includes('/lost/'))).to.deep.equal([])
    expect((await recordOf(host)).mailReset).to.equal(null)
  })

  it('goes to nobody who may not be reset any more', async () => {
    const visit = await waitingVisit()
    visit.host.system.advance(DAY)
    const lost = { ...visit.lost, allow: () => false }
    const another = anotherProcess(visit, { lost, keys: visit.keys })
    await once(another.host.secondStep.events, 'mail-reset-cancelled')
    await another.host.secondStep.close()
    expect(another.mails.filter(({ text }) => text.includes('/lost/'))).to.deep.equal([])
  })
})

describe('a host that holds resets back', () => {
  it('makes the link wait until then, and holds it also when it is pressed', async () => {
    const at = Date.UTC(2026, 0, 5, 15)
    let held: Date | null = new Date(at)
    const { host, ask, link } = await lostVisit({ lost: { heldUntil: () => held } })
    await ask()
    const { mailReset } = await recordOf(host)
    expect(mailReset).to.include({ usableAt: at, expiresAt: at + DAY, readyTold: false })
    held = new Date(at + HOUR)
    host.system.advance(at - host.system.now())
    const browser = await pendingBrowser(host)
    expectNotYet(await postJson(browser, link()), at + HOUR)
    held = null
    await postJson(browser, link()).expect(200)
  })

  it('is not taken for one that does not where its answer is no time', async () => {
    for (const nonsense of [new Date(Number.NaN), '2026-01-05' as unknown as Date]) {
      const { host, mails, ask } = await lostVisit({ lost: { heldUntil: () => nonsense } })
      await ask()
      expect(mails).to.deep.equal([])
      expect((await recordOf(host)).mailReset).to.equal(null)
    }
  })
})

describe('the option lost.allow', () => {
  const admin = { ...member, roles: ['admin'] }

  it('is nobody with an admin role, who gets the same answer, no mail, and an event', async () => {
    // An admin's mailbox would be the second step of the whole site.
    const { host, mails, ask } = await lostVisit({}, [admin])
    const told: unknown[] = []
    host.secondStep.events.on('mail-reset-refused', (event) => told.push(event.detail))
    await ask()
    expect(told).to.deep.equal([{ why: 'not-allowed' }])
    expect(mails).to.deep.equal([])
    expect((await recordOf(host)).mailReset).to.equal(null)
  })

  it('decides which users can reset by mail', async () => {
    const { mails, ask } = await lostVisit({ lost: { allow: async () => true } }, [admin])
    await ask()
    expect(mails).to.have.length(1)
    const refused = await lostVisit({ lost: { allow: ({ id }) => id !== 'ann' } })
    await refused.ask()
    expect(refused.mails).to.deep.equal([])
  })

  it('is nobody where the host answers with something else than true', async () => {
    const yes = 'yes' as unknown as boolean
    const { mails, ask } = await lostVisit({ lost: { allow: () => yes } })
    await ask()
    expect(mails).to.deep.equal([])
  })
})
