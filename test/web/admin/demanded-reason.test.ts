import { expect } from 'chai'
import { ADMIN, adminAt, PEOPLE, putJson, requireAdmin, usersOf } from '../../support/admin.js'
import { expectMalformed, getPage, postJson } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { ann, makeHost } from '../../support/host.js'

const POLICY = `${ADMIN}/policy`
const ANN = `${ADMIN}/users/ann`
const bulk = { ids: ['ann'], action: 'end-sessions' }

async function visit(demandReason: boolean) {
  const host = makeHost({
    users: PEOPLE,
    options: { users: usersOf(PEOPLE), roles: ['user', 'admin'] },
    mount: ({ app, secondStep }) =>
      void app.use(ADMIN, requireAdmin, secondStep.adminRouter({ demandReason })),
  })
  await enrol(host, ann)
  return { host, ...(await adminAt(host)) }
}

// The attack: an admin takes over an account, and nobody can ask later what for.
describe('adminRouter({ demandReason: true })', () => {
  it('refuses each change without a reason, and marks the field', async () => {
    const { browser } = await visit(true)
    for (const reason of [undefined, '', '  ']) {
      expectMalformed(await postJson(browser, `${ANN}/reset`, { reason }), 'reason')
      expectMalformed(await postJson(browser, `${ANN}/one-time-code`, { reason }), 'reason')
      expectMalformed(await postJson(browser, `${ADMIN}/bulk`, { ...bulk, reason }), 'reason')
      expectMalformed(await putJson(browser, POLICY, { graceDays: 3, reason }), 'reason')
    }
    await putJson(browser, POLICY, { graceDays: 3, dryRun: true }).expect(200)
    const reason = 'lost the phone'
    await putJson(browser, POLICY, { graceDays: 3, reason }).expect(200)
    await postJson(browser, `${ADMIN}/bulk`, { ...bulk, reason }).expect(200)
    const page = await browser.post(`${ANN}/reset`).type('form').send({ reason: '' }).expect(400)
    expect(page.text).to.match(/<input[^>]*id="reason-reset"[^>]*required[^>]*aria-invalid="true"/)
    for (const path of [ANN, `${ANN}/end-sessions`, POLICY]) {
      const { text } = await getPage(browser, path).expect(200)
      expect(text, path)
        .to.match(/name="reason"[^>]* required/)
        .and.not.include('(optional)')
    }
    await postJson(browser, `${ANN}/reset`, { reason }).expect(200)
  })

  it('is off by default', async () => {
    const { browser } = await visit(false)
    const { text } = await getPage(browser, ANN).expect(200)
    expect(text).to.include('Reason (optional)')
    await postJson(browser, `${ANN}/reset`).expect(200)
  })
})
