// What a user reads of what admins did to their second step: what, when, and the reason they gave.

import { expect } from 'chai'
import { ADMIN, adminAt, makeAdminHost } from '../../support/admin.js'
import { getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, signIn } from '../../support/browser.js'
import { ann } from '../../support/host.js'

const SETTINGS = '/second-step/'
const PRIVATE = { ip: null, userAgent: null }
const REASON = 'Ann asked for it <b>by phone</b>'

/** Ada was refused a change, and then made Ann's backup codes. Ann is signed in. */
async function annAfterAda(more: Parameters<typeof makeAdminHost>[0] = {}) {
  const host = makeAdminHost(more)
  const anns = await enrol(host, ann)
  const { browser: admin } = await adminAt(host)
  const browser = browserOf(host)
  await signIn(browser, ann, anns)
  const ask = (action: string, body: object) =>
    postJson(admin, `${ADMIN}/users/ann/${action}`, body).set('User-Agent', 'of Ada')
  host.system.advance(1)
  await ask('pause', { days: 'no', reason: 'a test of Ann' }).expect(400)
  host.system.advance(1)
  await ask('backup-codes', { reason: REASON }).expect(200)
  return { host, browser, ask }
}

async function eventsOf(browser: Browser): Promise<readonly Record<string, unknown>[]> {
  const { body } = await getJson(browser, SETTINGS).expect(200)
  return body.events
}

describe('The user’s own events', () => {
  it('tell the reason, but not which admin it was or from where', async () => {
    // A user who was refused something goes and looks for whoever it was.
    const { browser, host } = await annAfterAda()
    const [made, ...before] = await eventsOf(browser)
    expect(made).to.deep.equal({
      id: made?.id,
      at: new Date(host.system.now()).toISOString(),
      type: 'backup-codes-made',
      actor: { kind: 'admin', id: null },
      user: 'ann',
      method: null,
      ...PRIVATE,
      reason: REASON,
      detail: null,
    })
    expect(before.map(({ type }) => type)).to.deep.equal(['code-accepted', 'enrolled'])
    expect(before[0]?.ip, 'the user’s own').to.include('127.0.0.1')
    for (const get of [getJson, getPage]) {
      const { text } = await get(browser, SETTINGS).expect(200)
      expect(text).to.not.match(/ada|Ada|of Ada|a test of Ann|Change refused/)
    }
    const { text } = await getPage(browser, SETTINGS).expect(200)
    expect(text).to.include('Ann asked for it &lt;b&gt;by phone&lt;/b&gt;')
  })

  it('name the admin if the host allows it, and tell nothing else of them', async () => {
    const { browser } = await annAfterAda({ nameAdmins: true })
    const [made] = await eventsOf(browser)
    expect(made).to.deep.include({
      actor: { kind: 'admin', id: 'ada' },
      ...PRIVATE,
      reason: REASON,
    })
  })

  it('are not pushed out by changes that were refused', async () => {
    const { browser, host, ask } = await annAfterAda()
    for (let refusal = 0; refusal < 20; refusal += 1) {
      host.system.advance(1)
      await ask('pause', { days: 'no' }).expect(400)
    }
    expect(await eventsOf(browser)).to.have.length(3)
  })
})
