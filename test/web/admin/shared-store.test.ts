// The mistake: two apps keep their user tables apart by `realm`, on one store. What one of them does by
// itself, or what its admins save, takes the second step from the users of the other.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import { memoryStore } from '../../../lib/index.js'
import { ADMIN, ada, adminAt, makeAdminHost, putJson, usersOf } from '../../support/admin.js'
import { getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { DAY, movedSystem, SECOND } from '../../support/clock.js'
import { makeHost } from '../../support/host.js'
import { hasLink, lostHost, member } from '../../support/lost.js'

const POLICY = `${ADMIN}/policy`
const KEYS = [randomBytes(32).toString('base64')]

describe('a reset by mail that waits in one realm', () => {
  it('is not ended by the app of another realm, and is mailed by its own', async () => {
    const [store, system] = [memoryStore(), movedSystem()]
    const appOf = (realm: string) => {
      const lost = lostHost({ store, keys: KEYS, realm, lost: { delay: '24h' } })
      return { ...lost, host: makeHost({ ...lost.options, system }) }
    }
    for (const app of [appOf('staff'), appOf('shop')]) {
      await enrol(app.host, member)
      const browser = browserOf(app.host)
      await passFirstStep(browser, member)
      await postJson(browser, '/second-step/lost', { email: member.email }).expect(202)
      await app.idle(app.host)
      system.advance(SECOND)
    }
    system.advance(DAY)

    // Due resets are looked at in their order: that of the staff comes first.
    for (const realm of ['shop', 'staff']) {
      const { host, mails } = appOf(realm)
      await once(host.secondStep.events, 'mail-reset-ready')
      await host.secondStep.close()
      expect(mails.filter(hasLink), realm).to.have.length(1)
      expect((await store.find('staff:ann'))?.mailReset, realm).to.be.an('object')
    }
  })
})

describe('the policy that two realms share', () => {
  const clerk = { id: 'carl', name: 'Carl', password: 'carl-password', roles: ['clerk'] }
  const boss = { ...ada, id: 'boss', password: 'boss-password' }

  async function twoApps() {
    const [store, system] = [memoryStore(), movedSystem()]
    const staffUsers = [boss, clerk]
    const staff = makeAdminHost(
      { store, realm: 'staff', roles: ['clerk', 'admin'], users: usersOf(staffUsers) },
      { system, users: staffUsers },
    )
    const shop = makeAdminHost(
      { store, realm: 'shop', roles: ['customer', 'admin'], users: usersOf([ada]) },
      { system, users: [ada] },
    )
    const atStaff = await adminAt(staff, boss)
    await putJson(atStaff.browser, POLICY, { roles: { clerk: 'required' } }).expect(200)
    const atShop = await adminAt(shop, ada)
    return { staff, atStaff, atShop }
  }

  const form = { mode: 'off', 'roles[customer]': 'optional', 'roles[admin]': '', graceDays: '0' }

  it('keeps the rules of the other app’s roles, by the form and by JSON', async () => {
    const { staff, atStaff, atShop } = await twoApps()
    await postForm(atShop.browser, POLICY, form).expect(303)
    const { body } = await getJson(atStaff.browser, POLICY).expect(200)
    expect(body.roles).to.deep.equal({ clerk: 'required', customer: 'optional' })
    const login = await passFirstStep(browserOf(staff), clerk)
    expect(login.body.status).to.equal('setup-required')
    const { body: changed } = await putJson(atShop.browser, POLICY, { roles: {} }).expect(200)
    expect(changed.roles).to.deep.equal({ clerk: 'required' })
  })

  it('tells the other app’s admins of a change, and not who made it', async () => {
    const { atStaff, atShop } = await twoApps()
    const reason = 'as Ada said'
    await postForm(atShop.browser, POLICY, { ...form, reason }).expect(303)
    const { body, text } = await getJson(atStaff.browser, `${ADMIN}/events`).expect(200)
    const [last] = body.events
    expect(last.type).to.equal('policy-changed')
    expect(last.detail.changed.mode).to.equal('off')
    expect(last).to.deep.include({ actor: { kind: 'admin', id: null }, ip: null, reason: null })
    expect(text).to.not.match(/\bada\b/i)
    await getPage(atStaff.browser, `${ADMIN}/events`).expect(200)
  })
})
