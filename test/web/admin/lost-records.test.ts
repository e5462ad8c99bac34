// The mistake: a record that is listed and lost, or damaged, is left out of an admin's list in silence, or
// hides everybody else in it. Its user can't sign in, and nobody sees why.

import { expect } from 'chai'
import type { SecondStepRecord } from '../../../lib/domain/record.js'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { ADMIN, adminVisit, PEOPLE, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, enrol } from '../../support/browser.js'
import { ann, bob } from '../../support/host.js'
import { recordOf } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const UNREADABLE = 'Record can’t be read'
const KEY = '{second-step}:record:0123456789abcdef'

/** A host whose store has lost a record, and has damaged another, in every list. */
async function damaged({
  searchable = true,
  damage = {},
}: {
  searchable?: boolean
  damage?: object
} = {}) {
  const store: RecordStore = { ...memoryStore() }
  const visit = await adminVisit({ store, users: usersOf(PEOPLE, searchable) })
  await enrol(visit.host, ann)
  await enrol(visit.host, bob)
  const { list, find } = store
  const spoilt = (record: SecondStepRecord) => {
    const { attempts: _, ...rest } = record
    return { ...rest, ...damage } as unknown as SecondStepRecord
  }
  store.list = async (query) => {
    const page = await list(query)
    if (page === null) return null
    const kept = page.records.filter(({ userId }) => userId !== 'bob')
    const records = kept.map((record) => (record.userId === 'ann' ? spoilt(record) : record))
    return { ...page, records, lost: kept.length < page.records.length ? [KEY] : [] }
  }
  store.find = async (id) => {
    const record = await find(id)
    return id === 'ann' && record !== null ? spoilt(record) : record
  }
  return visit
}

/** Ann has a token with this serial number, and then her record is damaged. */
async function withToken(serial: string, searchable: boolean) {
  const visit = await adminVisit({ users: usersOf(PEOPLE, searchable) })
  const token = { type: 'hotp', secret: '31'.repeat(20), serial }
  await postJson(visit.browser, `${ADMIN}/users/ann/token`, token).expect(200)
  const record = await recordOf(visit.host)
  const { attempts: _, ...rest } = record
  const spoilt = { ...rest, version: record.version + 1, writeId: 'spoilt' }
  await visit.host.store.write(spoilt as unknown as SecondStepRecord, record.version)
  return visit
}

async function idsAt(browser: Browser, query: string): Promise<readonly string[]> {
  const { body } = await getJson(browser, `${ADMIN}/users${query}`).expect(200)
  return body.users.map(({ id }: { id: string }) => id)
}

describe('a list that names a record which is lost', () => {
  it('says so on the page and in a warning that names it, and shows the others', async () => {
    const { browser } = await damaged()
    const warnings = await warningsDuring(async () => {
      const { text } = await getPage(browser, `${ADMIN}/users?state=on`).expect(200)
      expect(text).to.contain('1 record of this list is lost').and.contain('Ada Admin')
    })
    expect(warnings.join('\n')).to.contain(KEY).and.contain('passport-second-step check')
  })

  it('emits a warning for JSON, which has no field for it', async () => {
    const { browser } = await damaged({ searchable: false })
    const warnings = await warningsDuring(async () => {
      expect(await idsAt(browser, '')).to.have.members(['ada', 'ann'])
    })
    expect(warnings.join('\n')).to.contain(KEY)
  })

  it('shows nothing if no record is lost', async () => {
    const { browser } = await adminVisit()
    const warnings = await warningsDuring(async () => {
      const { text } = await getPage(browser, `${ADMIN}/users?state=on`).expect(200)
      expect(text).to.not.contain('lost').and.not.contain(UNREADABLE)
    })
    expect(warnings.join('\n')).to.not.contain('lost')
  })
})

describe('a list of which a part is lost', () => {
  const LIST = 'second-step:{7}:list:all'
  async function visit() {
    const store: RecordStore = { ...memoryStore() }
    const { list } = store
    store.list = async (query) => {
      const page = await list(query)
      return page === null ? null : { ...page, lostLists: [LIST] }
    }
    return adminVisit({ store })
  }

  // The mistake: an admin looks for locked users, and one who is missing counts as not locked.
  it('says on the page that users are missing, and shows the others', async () => {
    const { browser } = await visit()
    const warnings = await warningsDuring(async () => {
      const { text } = await getPage(browser, `${ADMIN}/users?state=on`).expect(200)
      expect(text).to.contain('users are missing here').and.contain('Ada Admin')
    })
    expect(warnings.join()).to.contain(LIST).and.contain('passport-second-step repair')
  })

  it('is refused in JSON, which has no field for it', async () => {
    const { browser } = await visit()
    const warnings = await warningsDuring(async () => {
      const answer = await getJson(browser, `${ADMIN}/users?state=locked`)
      expectProblem(answer, 'unavailable', 503)
    })
    expect(warnings.join()).to.contain(LIST)
  })
})

describe('a list with a record which is damaged', () => {
  for (const [searchable, query] of [
    [true, ''],
    [true, '?state=on'],
    [true, '?search=ann'],
    [false, ''],
    [false, '?state=on'],
  ] as const) {
    const where = searchable ? 'the host has a list' : 'it has none'
    it(`shows it as unreadable, and hides nobody, at /users${query} where ${where}`, async () => {
      const { browser } = await damaged({ searchable })
      const warnings = await warningsDuring(async () => {
        const { text } = await getPage(browser, `${ADMIN}/users${query}`).expect(200)
        expect(text.split(UNREADABLE)).to.have.length(2)
      })
      expect(warnings.join('\n')).to.contain('"ann"')
      expect(await idsAt(browser, query)).to.include('ann')
    })
  }

  // The mistake: a text that is also a serial number is 503 where the holder's record is damaged, and hides users
  // whom the host's own search finds.
  it('hides nobody whose name is the serial number of its user’s token', async () => {
    const { browser } = await withToken('bob', true)
    expect(await idsAt(browser, '?search=bob')).to.deep.equal(['ann', 'bob'])
    const { text } = await getPage(browser, `${ADMIN}/users?search=bob`).expect(200)
    expect(text.split(UNREADABLE)).to.have.length(2)
  })

  it('is found by its token’s serial number, and by its user’s id, where the host has no list', async () => {
    const { browser } = await withToken('A-1', false)
    for (const text of ['A-1', 'ann']) {
      expect(await idsAt(browser, `?search=${text}`)).to.deep.equal(['ann'])
    }
  })

  it('counts a record without a readable user as lost', async () => {
    const { browser } = await damaged({ searchable: false, damage: { userId: 7 } })
    const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(text).to.contain('2 records of this list are lost').and.contain('Ada Admin')
  })
})
