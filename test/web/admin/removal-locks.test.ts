// The attack: somebody gives a few wrong codes at a login where the user has a token. Once the token is removed, its
// guesses lock the user's other devices for a day, and nobody is told why.

import { expect } from 'chai'
import type { AnnouncedEvent, Mail } from '../../../lib/index.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { ADMIN, adminVisit, seenBy } from '../../support/admin.js'
import { postJson } from '../../support/answers.js'
import { enrol, giveCode } from '../../support/browser.js'
import { ann, type Host } from '../../support/host.js'
import { SECOND } from '../../support/records.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const FOB = { type: 'hotp', secret: '31'.repeat(20), serial: 'A-1' }

/** Ann has an app and a token, and somebody who knows her password has guessed twice. */
async function guessedTwice(guesses = 2) {
  const mails: Mail[] = []
  const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
  const mail = { from: 'no-reply@acme.example', transport }
  const { host, browser: admin } = await adminVisit({ mail })
  const app = await enrol(host, ann)
  await postJson(admin, `${ADMIN}/users/ann/token`, FOB).expect(200)
  const login = await pendingBrowser(host)
  for (let tried = 0; tried < guesses; tried += 1) await giveCode(login, '000000').expect(401)
  host.system.advance(30 * SECOND)
  await giveCode(login, app.code()).expect(200)
  host.system.advance(30 * SECOND)
  const events: AnnouncedEvent[] = []
  host.secondStep.events.on('event', (event) => void events.push(event))
  return { host, admin, app, login, events, mails }
}

async function tokenOf(host: Host): Promise<string> {
  const { authenticators } = await recordOf(host)
  return authenticators.find(({ serial }) => serial !== null)?.id ?? ''
}

async function expectLockTold({
  host,
  admin,
  events,
  mails,
}: Awaited<ReturnType<typeof guessedTwice>>) {
  const { state, lockedUntil } = await seenBy(admin, 'ann')
  expect(state).to.equal('locked')
  expect(events.slice(-2).map(({ type }) => type)).to.deep.equal([
    'authenticator-removed',
    'authenticator-locked',
  ])
  expect(events.at(-1)?.detail).to.deep.equal({ until: new Date(lockedUntil) })
  const page = await host.store.audit?.list({ user: 'ann', cursor: null, limit: 100 })
  expect((page?.entries ?? []).map(({ type }) => type)).to.include('authenticator-locked')
  await host.secondStep.close()
  expect(mails.map(({ subject }) => subject).join()).to.include('Too many wrong codes')
}

describe('A change of the devices that locks them by earlier guesses', () => {
  it('is told to its user who removed it, and to the log', async () => {
    const visit = await guessedTwice()
    const { host, app, login } = visit
    const path = `/second-step/authenticators/${await tokenOf(host)}/remove`
    await postJson(login, path, { code: app.code() }).expect(200)
    await expectLockTold(visit)
  })

  it('is told where an admin removed it, who sees the lock in the answer', async () => {
    const visit = await guessedTwice()
    const { host, admin } = visit
    const path = `${ADMIN}/users/ann/authenticators/${await tokenOf(host)}/remove`
    const { body } = await postJson(admin, path).expect(200)
    expect(body).to.deep.equal({ state: 'locked' })
    await expectLockTold(visit)
    const sent = visit.mails.find(({ subject }) => subject.includes('Too many wrong codes'))
    expect(sent?.text, 'the address and browser of the admin').not.to.match(
      /^(IP address|Browser):/m,
    )
  })

  it('is told once where a further token brings the lock before a removal does', async () => {
    const { host, admin, events } = await guessedTwice()
    const second = { ...FOB, serial: 'A-2', secret: '32'.repeat(20) }
    const answer = await postJson(admin, `${ADMIN}/users/ann/token`, second).expect(200)
    expect(answer.body).to.deep.equal({ state: 'locked' })
    const path = `${ADMIN}/users/ann/authenticators/${await tokenOf(host)}/remove`
    await postJson(admin, path).expect(200)
    expect(events.map(({ type }) => type)).to.deep.equal([
      'token-assigned',
      'authenticator-locked',
      'authenticator-removed',
    ])
  })

  it('is told where a device that the user adds brings the lock', async () => {
    const { host, app, login, events } = await guessedTwice(3)
    const add = { code: app.code(), type: 'totp' }
    const shown = await postJson(login, '/second-step/authenticators', add).expect(200)
    const device = virtualAuthenticator(shown.body.uri)
    const given = { code: device.code(host.system.now()), name: 'Spare' }
    await postJson(login, '/second-step/setup', given).expect(200)
    expect((await recordOf(host)).lockedUntil).not.to.equal(null)
    expect(events.slice(-2).map(({ type }) => type)).to.deep.equal([
      'authenticator-added',
      'authenticator-locked',
    ])
  })
})
