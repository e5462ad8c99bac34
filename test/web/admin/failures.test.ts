// A part that fails while an admin looks or changes: a refusal in time, and nothing done.

import { expect } from 'chai'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { ADMIN, adminVisit, PEOPLE, putJson, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { ann } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import { recordOf } from '../../support/visits.js'

const never = new Promise<never>(() => undefined)

/** What a part does that does not answer as it should. */
const failures: Record<string, () => unknown> = {
  throws: () => {
    throw new Error('away')
  },
  rejects: () => Promise.reject(new Error('away')),
  'never answers': () => never,
  'answers nonsense': () => Promise.resolve({ users: 'all', entries: 7, records: 'none' }),
}

/** An object whose methods of these names fail from now on. */
function failing<T extends object>(part: T, names: readonly string[], fail: () => unknown): void {
  for (const name of names) Reflect.set(part, name, fail)
}

for (const [how, fail] of Object.entries(failures)) {
  describe(`A part that ${how}`, function () {
    this.timeout(20_000)

    async function visit() {
      const users = usersOf(PEOPLE)
      const store: RecordStore = { ...memoryStore() }
      const visit = await adminVisit({ users, store, timeout: 500 })
      await enrol(visit.host, ann)
      return { ...visit, users, store }
    }

    it('is a 503 where it is the host’s list of users', async () => {
      const { browser, users } = await visit()
      failing(users, ['list'], fail)
      expectProblem(await getJson(browser, `${ADMIN}/users`), 'unavailable', 503)
    })

    it('is a 503 where it is the list of records', async () => {
      const { browser, store } = await visit()
      failing(store, ['list'], fail)
      expectProblem(await getJson(browser, `${ADMIN}/users?state=on`), 'unavailable', 503)
    })

    it('is a 503 where it is the audit log, and what was decided stays decided', async () => {
      const { browser, store } = await visit()
      failing(store.audit ?? {}, ['list', 'append'], fail)
      expectProblem(await getJson(browser, `${ADMIN}/events`), 'unavailable', 503)
      expectProblem(await getJson(browser, `${ADMIN}/users/ann`), 'unavailable', 503)
    })

    if (how === 'answers nonsense') return

    it('is a 503 where it is the host’s user, and leaves them unchanged', async () => {
      const { host, browser, users } = await visit()
      failing(users, ['findById'], fail)
      expectProblem(await postJson(browser, `${ADMIN}/users/ann/disable`), 'unavailable', 503)
      expect(authenticatorOf(await recordOf(host))).to.not.equal(null)
    })

    it('is a 503 where it is the store of the policy', async () => {
      const { browser, store } = await visit()
      failing(store, ['writePolicy'], fail)
      const answer = await putJson(browser, `${ADMIN}/policy`, { mode: 'off' })
      expectProblem(answer, 'unavailable', 503)
      expect(await store.findPolicy()).to.equal(null)
    })
  })
}

describe('A record that cannot be read', () => {
  it('is listed as on, never as off, and hides nobody; their own page and actions are a 503', async () => {
    // One broken record, and admins could help nobody any more; shown as off, nobody would look at it.
    const store: RecordStore = { ...memoryStore() }
    const { host, browser } = await adminVisit({ store })
    await enrol(host, ann)
    const { find } = store
    store.find = async (id) => (id === 'ann' ? { ...(await recordOf(host, 'ada')) } : find(id))
    const { body } = await getJson(browser, `${ADMIN}/users`).expect(200)
    const nothing = { pausedUntil: null, lockedUntil: null, setupDeadline: null }
    expect(body.users).to.have.length(4)
    expect(body.users[2]).to.deep.equal({
      ...{ id: 'ann', name: 'Ann', email: 'ann@acme.example' },
      ...{ state: 'on', since: null, backupCodesLeft: 0, ...nothing },
    })
    await getPage(browser, `${ADMIN}/users`).expect(200)
    expectProblem(await getJson(browser, `${ADMIN}/users/ann`), 'unavailable', 503)
    expectProblem(await postJson(browser, `${ADMIN}/users/ann/reset`), 'unavailable', 503)
    store.find = async (id) => {
      if (id === 'ann') throw new Error('away')
      return find(id)
    }
    expectProblem(await getJson(browser, `${ADMIN}/users`), 'unavailable', 503)
  })
})

describe('A list of the host’s that gives more than was asked for', () => {
  it('is a 503: nobody is left out unseen, and a million users are not read', async () => {
    const list = async () => ({ users: PEOPLE, next: null })
    const { browser } = await adminVisit({ users: { ...usersOf(PEOPLE), list } })
    await getJson(browser, `${ADMIN}/users?limit=4`).expect(200)
    expectProblem(await getJson(browser, `${ADMIN}/users?limit=3`), 'unavailable', 503)
  })
})
