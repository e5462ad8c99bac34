// Somebody has the password and codes, relayed or out of a drawer. A route takes security keys alone. They prove
// themselves for one more app, which the route does not take, and make a security key of the set-up that they have begun.

import { expect } from 'chai'
import type { SecondStepRecord } from '../../../lib/domain/record.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, type Enrolment, giveCode } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, type Host, type HostOptions } from '../../support/host.js'
import {
  creationOf,
  FRESH,
  hostWithKeys,
  ORIGIN,
  pendingOf,
  SETUP,
  setUpKey,
} from '../../support/keys.js'
import { hotpWith } from '../../support/records.js'
import { softwareKey } from '../../support/software-key.js'
import {
  enrolledVisit,
  pendingBrowser,
  recordOf,
  setPolicy,
  signedInVisit,
} from '../../support/visits.js'

const AUTHENTICATORS = '/second-step/authenticators'
const CHANGE_KEY = '/second-step/change-key'

function routeFor(...accepts: ('totp' | 'hotp' | 'webauthn' | 'backup-code')[]): HostOptions {
  return {
    routes: ({ app, secondStep }) => {
      app.post('/vault', secondStep.requireFresh({ accepts }), (_req, res) =>
        res.json({ done: true }),
      )
    },
  }
}

/** Ann has a security key and an app; the browser is hers. */
async function withKeyAndApp(options: HostOptions) {
  const host = hostWithKeys(options)
  const { key, browser } = await setUpKey(host)
  const { webauthn } = (await getJson(browser, FRESH).expect(200)).body
  const credential = key.sign(webauthn)
  const shown = await postJson(browser, AUTHENTICATORS, { credential, type: 'totp' }).expect(200)
  const app = virtualAuthenticator(shown.body.uri)
  const code = () => app.code(host.system.now())
  const { body } = await postJson(browser, SETUP, { code: code() }).expect(200)
  host.system.advance(30 * SECOND)
  const enrolment: Enrolment = { code, secret: shown.body.secret, backupCodes: body.backupCodes }
  return { host, key, browser, enrolment }
}

async function thiefOf(host: Parameters<typeof pendingOf>[0], code: unknown): Promise<Browser> {
  const thief = await pendingOf(host, ann)
  await giveCode(thief, code).expect(200)
  host.system.advance(30 * SECOND)
  return thief
}

describe('a set-up that was begun by a proof, where a route has a rule', () => {
  it('becomes no security key by a code for one more app', async () => {
    const { host, enrolment } = await withKeyAndApp(routeFor('webauthn'))
    const thief = await thiefOf(host, enrolment.code())
    await postJson(thief, AUTHENTICATORS, { code: enrolment.code(), type: 'totp' }).expect(200)
    const changed = await getJson(thief, `${SETUP}?type=webauthn`).expect(409)
    expect(changed.body.code).to.equal('already-enrolled')
    expect((await postJson(thief, '/vault')).status).to.equal(403)
  })

  it('becomes no security key by a backup code for a change of the app', async () => {
    const { host, enrolment } = await withKeyAndApp(routeFor('webauthn'))
    const [first, second] = enrolment.backupCodes
    const thief = await thiefOf(host, first)
    const { authenticators } = (await getJson(thief, '/second-step/')).body
    const app = authenticators.find(({ type }: { type: string }) => type === 'totp')
    await postJson(thief, CHANGE_KEY, { code: second, id: app.id, type: 'totp' })
    await getJson(thief, `${SETUP}?type=webauthn`).expect(409)
  })

  it('becomes no app by a backup code for one more fob', async () => {
    const { host, enrolment } = await enrolledVisit({
      ...routeFor('totp'),
      options: { authenticators: ['totp', 'hotp'] },
    })
    const [first, second] = enrolment.backupCodes
    const thief = await pendingBrowser(host)
    await giveCode(thief, first).expect(200)
    await postJson(thief, AUTHENTICATORS, { code: second, type: 'hotp' }).expect(200)
    await getJson(thief, `${SETUP}?type=totp`).expect(409)
    await getJson(thief, SETUP).expect(200)
  })

  it('gives no backup codes where the route takes these and not the code that began it', async () => {
    const { host, enrolment } = await withKeyAndApp(routeFor('webauthn', 'backup-code'))
    const thief = await thiefOf(host, enrolment.code())
    const begun = await postJson(thief, AUTHENTICATORS, { code: enrolment.code(), type: 'totp' })
    expect([begun.status, begun.body.code]).to.deep.equal([403, 'stronger-factor-required'])
  })

  /** The next write of the app loses against another process that changes Ann's record first. */
  function losesTo(host: Host, change: (record: SecondStepRecord) => Partial<SecondStepRecord>) {
    const { store } = host
    const { write } = store
    store.write = async (...given) => {
      store.write = write
      const record = await recordOf(host)
      const { version } = record
      const other = { ...record, ...change(record), version: version + 1, writeId: 'other' }
      expect(await store.write(other, version)).to.equal(true)
      return store.write(...given)
    }
  }

  async function begunWithApp() {
    const visit = await signedInVisit({
      ...routeFor('hotp'),
      options: { authenticators: ['totp', 'hotp'] },
    })
    const { host, browser, enrolment } = visit
    const proof = { code: enrolment.code(), type: 'totp' }
    const shown = await postJson(browser, AUTHENTICATORS, proof).expect(200)
    const code = virtualAuthenticator(shown.body.uri).code(host.system.now())
    return { host, confirm: () => postJson(browser, SETUP, { code }) }
  }

  // The confirmation is sent while another process binds the user to the rule of a route.
  it('is judged by the record that its write meets, where the policy has changed since it began', async () => {
    const { host, confirm } = await begunWithApp()
    await setPolicy(host, { updatedAt: host.system.now() })
    losesTo(host, ({ authenticators }) => ({
      authenticators: [...authenticators, hotpWith({ since: host.system.now() })],
    }))
    expect((await confirm().expect(409)).body.code).to.equal('already-enrolled')
  })

  it('is not taken for another that the same login has begun meanwhile', async () => {
    const { host, confirm } = await begunWithApp()
    losesTo(host, ({ setup }) => {
      if (setup?.type !== 'totp') throw new Error('no app was begun')
      const { period: _, ...begun } = setup
      return { setup: { ...begun, type: 'hotp', algorithm: 'sha1' } }
    })
    expect((await confirm().expect(410)).body.code).to.equal('setup-expired')
    await confirm().expect(401)
  })

  it('becomes what its owner likes where no route says otherwise', async () => {
    const { browser, enrolment } = await withKeyAndApp({})
    await postJson(browser, AUTHENTICATORS, { code: enrolment.code(), type: 'totp' }).expect(200)
    const another = softwareKey({ origin: ORIGIN })
    const credential = another.register(await creationOf(browser))
    await postJson(browser, SETUP, { credential }).expect(200)
    const { authenticators } = (await getJson(browser, '/second-step/')).body
    expect(authenticators).to.have.length(3)
  })

  it('is one of a security key from its beginning, by a key', async () => {
    const { browser, key } = await withKeyAndApp(routeFor('webauthn'))
    const { webauthn } = (await getJson(browser, FRESH).expect(200)).body
    const proof = { credential: key.sign(webauthn), type: 'webauthn' }
    const { options } = (await postJson(browser, AUTHENTICATORS, proof).expect(200)).body
    const another = softwareKey({ origin: ORIGIN })
    await postJson(browser, SETUP, { credential: another.register(options) }).expect(200)
    await postJson(browser, '/vault').expect(200)
  })
})
