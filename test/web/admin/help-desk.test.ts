import { expect } from 'chai'
import type { UserAction } from '../../../lib/domain/admin-actions.js'
import { HELP_DESK_ACTIONS, USER_ACTION_NAMES } from '../../../lib/domain/admin-actions.js'
import {
  ADMIN,
  ada,
  adminAt,
  otherAdmin,
  PEOPLE,
  putJson,
  refusalsIn,
  usersOf,
} from '../../support/admin.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { ann, type HostUser, makeHost } from '../../support/host.js'

const hal: HostUser = {
  ...ada,
  id: 'hal',
  name: 'Hal Help',
  password: 'hal-password',
  roles: ['help'],
}
const PERSONS = [...PEOPLE, hal]

async function visit(user: HostUser, canAdminister?: (...given: unknown[]) => boolean) {
  const host = makeHost({
    users: PERSONS,
    options: {
      users: usersOf(PERSONS),
      roles: ['user', 'admin', 'help'],
      helpDeskRoles: ['help'],
      ...(canAdminister === undefined ? {} : { canAdminister }),
    },
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
  })
  await enrol(host, ann)
  return { host, ...(await adminAt(host, user)) }
}

const bodyOf = (action: UserAction) => (action === 'pause' ? { days: 1 } : { reason: 'x' })
const pathOf = (action: UserAction) =>
  `${ADMIN}/users/ann/${action === 'remove-authenticator' ? 'authenticators/x/remove' : action}`

// The attack: somebody of the help desk, or who has their session, resets an admin, pauses a user or drops the policy.
describe('A help desk', () => {
  it('makes one-time codes, and is refused everything else', async () => {
    const { host, browser } = await visit(hal, () => true)
    for (const action of USER_ACTION_NAMES.filter((one) => !HELP_DESK_ACTIONS.includes(one))) {
      expectProblem(await postJson(browser, pathOf(action), bodyOf(action)), 'forbidden', 403)
    }
    expectProblem(await putJson(browser, `${ADMIN}/policy`, { mode: 'off' }), 'forbidden', 403)
    const bulk = { ids: ['ann'], action: 'disable' }
    expectProblem(await postJson(browser, `${ADMIN}/bulk`, bulk), 'forbidden', 403)
    expect(await refusalsIn(host)).to.have.length.above(5)
    const { body } = await postJson(browser, `${ADMIN}/users/ann/one-time-code`).expect(200)
    expect(body.code).to.be.a('string')
  })

  it('sees users, but neither policy nor events, and no form that it may not send', async () => {
    const { browser } = await visit(hal)
    for (const path of ['policy', 'events', `events/${'0'.repeat(30)}`, 'events?format=csv']) {
      expectProblem(await getJson(browser, `${ADMIN}/${path}`), 'forbidden', 403)
    }
    const { text } = await getPage(browser, `${ADMIN}/users/ann`).expect(200)
    const forms = [...text.matchAll(/action="[^"]*\/users\/ann\/([^"]*)"/g)].map(([, name]) => name)
    expect(forms).to.deep.equal(['one-time-code'])
    expect(text).to.not.include(`${ADMIN}/policy"`).and.not.include(`${ADMIN}/events`)
    const list = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(list.text).to.include('/users/ann/one-time-code').and.not.include('/users/ann/reset')
    expect(list.text).to.not.include(`${ADMIN}/bulk"`)
  })

  it('is protected as admins are, and an admin is none', async () => {
    const { browser } = await visit({ ...ada, roles: ['admin', 'help'] })
    expectProblem(await postJson(browser, `${ADMIN}/users/hal/reset`), 'forbidden', 403)
    await postJson(browser, `${ADMIN}/users/ann/reset`).expect(200)
  })

  // The attack: the host lets every admin act on everybody, and the help desk makes a code for an admin's account.
  for (const permit of [undefined, () => true]) {
    it(`makes no code for an admin, where the host ${permit === undefined ? 'has no rule' : 'permits it'}`, async () => {
      const { host, browser } = await visit(hal, permit)
      await enrol(host, otherAdmin)
      expectProblem(await postJson(browser, `${ADMIN}/users/otto/one-time-code`), 'forbidden', 403)
      for (const path of ['users', 'users/otto']) {
        const { text } = await getPage(browser, `${ADMIN}/${path}`).expect(200)
        expect(text).to.not.include('/users/otto/one-time-code')
      }
    })
  }
})
