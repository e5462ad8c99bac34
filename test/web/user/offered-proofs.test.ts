// Somebody is led to give away what opens nothing: pages once offered codes and keys that a rule refuses.

import { expect } from 'chai'
import type { FactorMethod } from '../../../lib/index.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { PEOPLE, usersOf } from '../../support/admin.js'
import { getJson, getPage, postJson } from '../../support/answers.js'
import { CHALLENGE, FRESH, hostWithKeys, pendingOf, SETUP, setUpKey } from '../../support/keys.js'
import { recordOf, setPolicy } from '../../support/visits.js'

const SETTINGS = '/second-step/'
const RESYNC = 'action="/second-step/resync"'

/** Ann has a key, a fob and an app, in this order, and is signed in by the app. */
async function richVisit() {
  const users = PEOPLE.map((one) => ({ ...one }))
  const host = hostWithKeys({
    users,
    options: {
      users: usersOf(users),
      roles: ['user', 'admin'],
      authenticators: ['webauthn', 'totp', 'hotp'],
    },
  })
  const [ann] = users.filter(({ id }) => id === 'ann')
  if (ann === undefined) throw new Error('there is Ann')
  const { browser, backupCodes } = await setUpKey(host, { user: ann })
  let [proof] = backupCodes
  for (const type of ['hotp', 'totp']) {
    const add = { type, code: proof }
    const { body } = await postJson(browser, '/second-step/authenticators', add).expect(200)
    const device = virtualAuthenticator(body.uri)
    const code = device.next(host.system.now())
    const confirmed = await postJson(browser, SETUP, { code, name: `my ${type}` }).expect(200)
    proof = confirmed.body.backupCodes[0]
  }
  const accept = (...methods: readonly FactorMethod[]) =>
    setPolicy(host, { accepts: { user: methods } })
  return { host, ann, browser, accept }
}

describe('What pages offer', () => {
  it('is no key where a rule of the user’s roles accepts codes alone', async () => {
    const { host, ann, browser, accept } = await richVisit()
    const pending = await pendingOf(host, ann)
    expect((await getJson(pending, CHALLENGE)).body.webauthn).to.be.an('object')
    await accept('totp')
    const { body } = await getJson(pending, CHALLENGE).expect(200)
    expect(body).to.deep.include({ methods: ['totp'], webauthn: null })
    expect((await getJson(browser, FRESH).expect(200)).body).to.not.have.property('webauthn')
  })

  it('is no form for a fob that is out of step where no code of it counts', async () => {
    const { browser, accept } = await richVisit()
    for (const page of [SETTINGS, FRESH]) {
      expect((await getPage(browser, page).expect(200)).text).to.include(RESYNC)
    }
    await accept('hotp', 'totp')
    for (const page of [SETTINGS, FRESH]) {
      expect((await getPage(browser, page).expect(200)).text).to.include(RESYNC)
    }
    await accept('totp', 'webauthn')
    for (const page of [SETTINGS, FRESH]) {
      expect((await getPage(browser, page).expect(200)).text).to.not.include(RESYNC)
    }
  })

  it('is, for each action of the settings, what the routes let touch it', async () => {
    const { host, browser } = await richVisit()
    host.secondStep.requireFresh({ accepts: ['totp'] })
    const [key, fob, app] = (await recordOf(host)).authenticators.map(({ id }) => id)
    const { text } = await getPage(browser, SETTINGS).expect(200)
    const fields = (action: string) => [
      text.includes(`id="code-${action}"`),
      text.includes(`id="backup-code-${action}"`),
    ]
    for (const closed of [`show-key:${app}`, `change-key:${app}`, `remove:${app}`, 'reset']) {
      expect([closed, ...fields(closed)]).to.deep.equal([closed, true, false])
    }
    for (const open of [`remove:${fob}`, `change-key:${key}`, 'backup-codes', 'authenticators']) {
      expect([open, ...fields(open)]).to.deep.equal([open, true, true])
    }
  })
})
