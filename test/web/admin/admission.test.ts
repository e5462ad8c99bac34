// The attack: a host mounts the admin router and forgets its own check. Any enrolled user lists
// everybody, makes a one-time code for somebody else, and signs in as them with a stolen password.

import { expect } from 'chai'
import type { Policy } from '../../../lib/domain/policy.js'
import type { AdminRouterOptions, SecondStepOptions } from '../../../lib/index.js'
import { warnOfMailReset } from '../../../lib/web/admin/warnings.js'
import type { Site } from '../../../lib/web/request/site.js'
import { ADMIN, ada, otherAdmin, PEOPLE, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { ann, bob, type Host, type HostUser, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { cookieOf } from '../../support/sessions.js'
import { recordOf, setPolicy } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const annAsUser = PEOPLE.find(({ id }) => id === ann.id) ?? ann

/** A host that lets everybody through to the admin router. */
function openHost(
  router: AdminRouterOptions<HostUser> = {},
  options: Partial<SecondStepOptions<HostUser>> = {},
  people = PEOPLE,
): Host {
  return makeHost({
    users: people,
    options: { users: usersOf(people), ...options },
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter(router)),
  })
}

/** A user with a fresh second step, at this host. */
async function enrolled(host: Host, user: HostUser): Promise<Browser> {
  const browser = browserOf(host)
  await enrol(host, user, browser)
  return browser
}

const GETS = ['/', '/users', '/users/bob', '/policy', '/events'] as const
const ONE_TIME_CODE = `${ADMIN}/users/bob/one-time-code`

describe('an admin router without a check of the host’s in front', () => {
  it('shows an enrolled user nothing, and makes no one-time code for somebody else', async () => {
    const host = openHost()
    const browser = await enrolled(host, annAsUser)
    await enrol(host, bob)
    for (const path of GETS) {
      expectProblem(await getJson(browser, `${ADMIN}${path}`), 'forbidden', 403)
    }
    expectProblem(await postJson(browser, ONE_TIME_CODE, {}), 'forbidden', 403)
    expect((await recordOf(host, 'bob')).oneTimeCodes).to.deep.equal([])
  })

  it('says the same to a user who has no second step: a set-up would lead nowhere', async () => {
    const host = openHost()
    const browser = browserOf(host)
    await passFirstStep(browser, annAsUser)
    expectProblem(await getJson(browser, `${ADMIN}/users`), 'forbidden', 403)
  })

  it('lets in users with one of the admin roles', async () => {
    const host = openHost()
    const browser = await enrolled(host, ada)
    await enrol(host, bob)
    expect((await getJson(browser, `${ADMIN}/users`)).status).to.equal(200)
    expect((await postJson(browser, ONE_TIME_CODE, {})).status).to.equal(200)
  })
})

describe('adminRouter({ allow })', () => {
  const allow: AdminRouterOptions<HostUser>['allow'] = (req, user) =>
    req.path.startsWith('/users') && user.id === 'ann'

  it('lets in the users for whom it returns true, and nobody else', async () => {
    const host = openHost({ allow })
    const browser = await enrolled(host, annAsUser)
    expect((await getJson(browser, `${ADMIN}/users`)).status).to.equal(200)
    expectProblem(await getJson(browser, `${ADMIN}/policy`), 'forbidden', 403)
    const other = await enrolled(host, bob)
    expectProblem(await getJson(other, `${ADMIN}/users`), 'forbidden', 403)
  })

  it('takes nothing but true for a yes', async () => {
    for (const answer of [1, 'true', {}, undefined, Promise.resolve('yes')]) {
      const host = openHost({ allow: (() => answer) as () => boolean })
      const browser = await enrolled(host, annAsUser)
      expectProblem(await getJson(browser, `${ADMIN}/users`), 'forbidden', 403)
    }
  })

  // The mistake: `allow` hangs for a second, and the page that says so asks it again.
  it('is not asked again by the page that refuses because it failed', async () => {
    let asked = 0
    const allow = () => {
      asked += 1
      return Promise.reject(new Error('the host failed'))
    }
    const browser = await enrolled(openHost({ allow }), annAsUser)
    await getPage(browser, `${ADMIN}/users`).expect(503)
    expect(asked).to.equal(1)
  })

  it('refuses with 503 if it throws or rejects', async () => {
    const broken = [
      () => {
        throw new Error('the host failed')
      },
      () => Promise.reject(new Error('the host failed')),
    ]
    for (const fails of broken) {
      const host = openHost({ allow: fails })
      const browser = await enrolled(host, annAsUser)
      expectProblem(await getJson(browser, `${ADMIN}/users`), 'unavailable', 503)
    }
  })

  it('is called again when the body has arrived', async () => {
    // Support staff about to be dismissed sends a header, and holds the body back until then.
    let employed = true
    const host = openHost({ allow: () => employed })
    const enrolment = await enrol(host, annAsUser)
    await enrol(host, bob)
    const browser = browserOf(host)
    await passFirstStep(browser, annAsUser)
    const cookie = cookieOf(await giveCode(browser, enrolment.code()))
    const parked = await park(host, ONE_TIME_CODE, { cookie, like: {} })
    employed = false
    expect((await parked.finish({})).body.code).to.equal('forbidden')
    expect((await recordOf(host, 'bob')).oneTimeCodes).to.deep.equal([])
  })

  // The mistake: `allow` makes admins of users whose second step a mail resets.
  it('warns once if a mail could reset a user whom it lets in, and names isAdmin', async () => {
    const mail = { transport: { sendMail: async () => undefined }, from: 'Acme <a@acme.example>' }
    const open = { allow: () => true }
    const warnings = async (options: Partial<SecondStepOptions<HostUser>>, user = annAsUser) => {
      const host = openHost(open, options)
      const browser = await enrolled(host, user)
      return warningsDuring(async () => {
        for (const path of GETS) await getJson(browser, `${ADMIN}${path}`).expect(200)
      })
    }
    const said = await warnings({ mail })
    expect(said).to.have.length(1)
    expect(said[0]).to.include('adminRouter({ allow })').and.include('isAdmin')
    expect(await warnings({})).to.deep.equal([])
    expect(await warnings({ mail, lost: false })).to.deep.equal([])
    expect(await warnings({ mail, lost: { allow: () => false } })).to.deep.equal([])
    expect(await warnings({ mail, isAdmin: ({ id }) => id === annAsUser.id })).to.deep.equal([])
    expect(await warnings({ mail }, ada)).to.deep.equal([])
  })

  // The mistake: `lost.allow` is silent, and each page of an admin's waits for what is only a warning.
  it('waits for no look at that, which is one for each user and repeated only where it failed', async () => {
    const waiting: ((error: Error) => void)[] = []
    const mayReset = () => new Promise<boolean>((_, reject) => waiting.push(reject))
    const told: unknown[] = []
    const failureReporter = { report: (error: unknown) => void told.push(error) }
    const site = { lost: { mayReset }, failureReporter } as unknown as Site
    const look = (id: string) => warnOfMailReset(site, id)
    expect([look('ann'), look('ann'), look('bob')]).to.deep.equal([undefined, undefined, undefined])
    expect(waiting).to.have.length(2)
    const away = new Error('away')
    waiting[0]?.(away)
    await new Promise(setImmediate)
    expect(told).to.deep.equal([away])
    look('ann')
    look('bob')
    expect(waiting).to.have.length(3)
  })

  it('lets the user in even if lost.allow fails', async () => {
    const mail = { transport: { sendMail: async () => undefined }, from: 'Acme <a@acme.example>' }
    const away = { allow: () => Promise.reject(new Error('away')) }
    const host = openHost({ allow: () => true }, { mail, lost: away })
    const browser = await enrolled(host, annAsUser)
    const said = await warningsDuring(() => getJson(browser, `${ADMIN}/users`).expect(200))
    expect(said.join()).to.contain('lost.allow')
  })

  it('is a function; a misspelt option is told', () => {
    const { secondStep } = openHost()
    expect(() => secondStep.adminRouter({ allow: true } as never)).to.throw('adminRouter.allow')
    expect(() => secondStep.adminRouter({ alow: () => true } as never)).to.throw('allow')
  })
})

describe('admins who carry a flag instead of a role', () => {
  const boss: HostUser = { ...otherAdmin, id: 'boss', roles: [] }
  const people = [...PEOPLE, boss]
  const isAdmin = (user: HostUser) => user.id === 'boss'

  it('are told apart by isAdmin(user)', async () => {
    const host = openHost({}, { isAdmin }, people)
    const browser = await enrolled(host, boss)
    expect((await getJson(browser, `${ADMIN}/users`)).status).to.equal(200)
  })

  it('are refused without it, and a warning says what to do', async () => {
    const describe = ({ id }: HostUser) => ({ id })
    const host = openHost({}, { describe }, people)
    const browser = await enrolled(host, boss)
    const said = await warningsDuring(async () => {
      expectProblem(await getJson(browser, `${ADMIN}/users`), 'forbidden', 403)
      expectProblem(await getJson(browser, `${ADMIN}/users`), 'forbidden', 403)
    })
    expect(said).to.have.length(1)
    expect(said[0]).to.include('isAdmin').and.to.include('adminRoles')
  })

  // The mistake: any plain user who tried an admin's address made the app warn of its own set-up.
  it('are not warned of where the app says that the user has no role', async () => {
    const host = openHost({}, {}, people)
    const browser = await enrolled(host, boss)
    const said = await warningsDuring(async () => {
      expectProblem(await getJson(browser, `${ADMIN}/users`), 'forbidden', 403)
    })
    expect(said).to.deep.equal([])
  })

  // The mistake: `accepts: { admin: ['webauthn'] }` is saved, and a relayed code still opens the admin pages.
  it('are warned of once where the policy has rules of roles, and the app tells none of theirs', async () => {
    const said = async (policy: Partial<Policy>, tellsRoles = false) => {
      const describe = ({ id, roles }: HostUser) => (tellsRoles ? { id, roles } : { id })
      const host = openHost({}, { describe, isAdmin }, people)
      await setPolicy(host, policy)
      const browser = await enrolled(host, boss)
      const all = await warningsDuring(async () => {
        for (const path of GETS) await getJson(browser, `${ADMIN}${path}`).expect(200)
      })
      // Those of a look in the background are about something else.
      return all.filter((message) => message.includes('isAdmin'))
    }
    const ofKeys = { accepts: { admin: ['webauthn'] } } as const
    const [warning, ...others] = await said({ ...ofKeys, roles: { staff: 'required' } })
    expect(others).to.deep.equal([])
    expect(warning).to.include('(admin, staff)').and.include('user.isAdmin')
    expect(await said(ofKeys, true)).to.deep.equal([])
    expect(await said({ mode: 'required' })).to.deep.equal([])
  })

  it('are changed by no other admin, and get no days of grace', async () => {
    const host = openHost({}, { isAdmin }, people)
    await enrol(host, boss)
    const browser = await enrolled(host, ada)
    const reset = await postJson(browser, `${ADMIN}/users/boss/reset`, {})
    expectProblem(reset, 'forbidden', 403)
  })

  // The mistake: an answer that is no `true` counts as no, and the admin gets a reset by mail.
  it('are not passed over in silence where isAdmin answers with a promise or a truthy value', async () => {
    const rejected = () => Promise.reject(new Error('away'))
    for (const isAdmin of [() => Promise.resolve(true), rejected, () => 1, () => 'yes']) {
      const host = openHost({}, { isAdmin: isAdmin as never }, people)
      const login = await passFirstStep(browserOf(host), boss)
      expect(login.status).to.equal(500)
      expect(login.text).to.contain('ConfigurationError').and.contain('`isAdmin`')
    }
  })

  it('may have a flag that is missing or 0', async () => {
    for (const answer of [undefined, null, false, 0, '']) {
      const host = openHost({}, { isAdmin: (() => answer) as never }, people)
      await passFirstStep(browserOf(host), boss).expect(302)
    }
  })

  it('need a function', () => {
    expect(() => openHost({}, { isAdmin: 'boss' as never })).to.throw('`isAdmin`')
  })
})
