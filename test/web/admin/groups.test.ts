// The mistake: the overview says that 40 users have few backup codes, and nobody can find out who they are.

import { expect } from 'chai'
import type { SecondStepRecord } from '../../../lib/domain/record.js'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { ADMIN, adminVisit, PEOPLE, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, getPage } from '../../support/answers.js'
import { type Browser, enrol } from '../../support/browser.js'
import { DAY } from '../../support/clock.js'
import { ann, bob, type Host } from '../../support/host.js'
import { enrolledRecord, recordWith } from '../../support/records.js'
import { recordOf, setPolicy } from '../../support/visits.js'

const USERS = `${ADMIN}/users`

async function idsAt(browser: Browser, query: string): Promise<readonly string[]> {
  const { body } = await getJson(browser, `${USERS}?state=${query}`).expect(200)
  return body.users.map(({ id }: { id: string }) => id)
}

async function change(host: Host, id: string, parts: (record: SecondStepRecord) => object) {
  const record = await recordOf(host, id)
  const next = { ...record, ...parts(record), version: record.version + 1, writeId: 'changed' }
  await host.store.write(next, record.version)
}

/** Ann has saved her codes, and all but three are used. Bob has not saved his, and is paused. */
async function withCodes(searchable = true) {
  const visit = await adminVisit({ users: usersOf(PEOPLE, searchable) })
  const { host } = visit
  await enrol(host, ann)
  await enrol(host, bob)
  await change(host, 'ann', ({ backupCodes }) => ({
    backupCodes: backupCodes && {
      ...backupCodes,
      saved: true,
      codes: backupCodes.codes.map((code, at) => ({ ...code, usedAt: at < 7 ? 1 : null })),
    },
  }))
  await change(host, 'ada', ({ backupCodes }) => ({
    backupCodes: backupCodes && { ...backupCodes, saved: true },
  }))
  await change(host, 'bob', () => ({ pausedUntil: Number.MAX_SAFE_INTEGER }))
  return visit
}

/** Asks until the users are counted, which goes on in the background. */
async function countedPage(browser: Browser) {
  for (;;) {
    const { text } = await getPage(browser, USERS).expect(200)
    if (/Counted:/.test(text)) return text
  }
}

describe('GET /users for those whom the overview counts', () => {
  for (const searchable of [true, false]) {
    const host = searchable ? 'a host with a list' : 'a host without one'
    it(`lists few and unsaved backup codes of ${host}, in whatever state`, async () => {
      const { host, browser } = await withCodes(searchable)
      expect(await idsAt(browser, 'few-backup-codes')).to.deep.equal(['ann'])
      expect(await idsAt(browser, 'unsaved-backup-codes')).to.deep.equal(['bob'])
      await setPolicy(host, { mode: 'optional', backupCodes: false })
      expect(await idsAt(browser, 'few-backup-codes')).to.deep.equal([])
      expect(await idsAt(browser, 'unsaved-backup-codes')).to.deep.equal([])
    })
  }

  it('lists who has days of grace: nobody who was reset, or who has set up', async () => {
    const { host, browser } = await adminVisit()
    const requiredSince = { general: host.system.now(), roles: {} }
    await setPolicy(host, { mode: 'required', graceDays: 7, requiredSince })
    const mustSetUp = { until: host.system.now() + 1000 }
    await host.store.write(recordWith({ userId: 'bob', mustSetUp, version: 1 }), 0)
    expect(await idsAt(browser, 'in-grace')).to.deep.equal(['ann'])
    expect(await idsAt(browser, 'in-grace&search=ann')).to.deep.equal(['ann'])
    expect(await idsAt(browser, 'in-grace&search=bob')).to.deep.equal([])
    await setPolicy(host, { mode: 'optional' })
    expect(await idsAt(browser, 'in-grace')).to.deep.equal([])
  })

  it('lists who is late: after the days of grace, or those after a reset', async () => {
    const { host, browser } = await adminVisit()
    const now = host.system.now()
    await setPolicy(host, {
      ...{ mode: 'required', graceDays: 7 },
      requiredSince: { general: now - 8 * DAY, roles: {} },
    })
    const mustSetUp = { until: now + DAY }
    await host.store.write(recordWith({ userId: 'bob', mustSetUp, version: 1 }), 0)
    // An admin has no days of grace.
    expect(await idsAt(browser, 'late')).to.deep.equal(['otto', 'ann'])
    host.system.advance(DAY)
    await setPolicy(host, { mode: 'optional' })
    expect(await idsAt(browser, 'late')).to.deep.equal(['bob'])
  })

  it('lists nobody whose record is unreadable: what they have is not known', async () => {
    const store: RecordStore = { ...memoryStore() }
    const { host, browser } = await adminVisit({ store })
    await enrol(host, ann)
    await change(host, 'ann', () => ({ attempts: undefined }))
    expect(await idsAt(browser, 'on')).to.include('ann')
    expect(await idsAt(browser, 'unsaved-backup-codes')).to.deep.equal(['ada'])
  })

  it('looks on within a bound, says how far it got, and goes on from there', async () => {
    const crowd = Array.from({ length: 300 }, (_, at) => ({ ...ann, id: `u${at}` }))
    const users = usersOf([...PEOPLE, ...crowd], false)
    const { host, browser } = await adminVisit({ users })
    for (const { id: userId } of crowd) await host.store.write(enrolledRecord({ userId }), 0)
    const query = `${USERS}?state=unsaved-backup-codes&limit=2`
    const first = await getJson(browser, query).expect(200)
    expect(first.body.next).to.be.a('string')
    const { next } = first.body
    const { cursor } = JSON.parse(Buffer.from(next, 'base64url').toString())
    expect(cursor).not.to.equal(null)
    const page = await getPage(browser, query).expect(200)
    expect(page.text).to.match(/\d+ users searched so far/)
    const found = [...first.body.users]
    for (let at: string | null = next; at !== null; ) {
      const { body } = await getJson(browser, `${query}&cursor=${at}`).expect(200)
      found.push(...body.users)
      at = body.next
    }
    expect(found.map(({ id }: { id: string }) => id)).to.deep.equal(['ada'])
    const other = await getJson(browser, `${USERS}?state=few-backup-codes&cursor=${next}`)
    expectProblem(other, 'malformed-request', 400)
  })
})

describe('The page of users', () => {
  it('tells how many users each filter has, as the overview counts them', async () => {
    const { browser } = await withCodes()
    const text = await countedPage(browser)
    const options = Array.from(text.matchAll(/<option value="([\w-]*)"[^>]*>([^<]*)</g))
    const told = Object.fromEntries(options.map(([, value = '', label]) => [value, label]))
    expect(told).to.include({
      '': 'Any (4)',
      on: 'On (2)',
      off: 'Off (1)',
      paused: 'Paused (1)',
      'few-backup-codes': 'Few codes (1)',
      'unsaved-backup-codes': 'Unsaved codes (1)',
    })
    const overview = await getPage(browser, `${ADMIN}/`).expect(200)
    for (const filter of ['late', 'in-grace', 'few-backup-codes', 'unsaved-backup-codes']) {
      expect(overview.text).to.contain(`href="${USERS}?state=${filter}"`)
    }
  })

  it('tells no number that another policy was counted by, nor one beside a search', async () => {
    const { host, browser } = await withCodes()
    await countedPage(browser)
    const found = await getPage(browser, `${USERS}?search=ann`).expect(200)
    expect(found.text).to.contain('<option value="">Any</option>')
    await setPolicy(host, { mode: 'required' })
    const { text } = await getPage(browser, USERS).expect(200)
    expect(text).not.to.contain('Off (1)')
    expect(await countedPage(browser)).to.contain('Off (0)')
  })

  it('shows the chosen filter, also one that is none of a state', async () => {
    const { browser } = await withCodes()
    const { text } = await getPage(browser, `${USERS}?state=few-backup-codes`).expect(200)
    expect(text).to.match(/<option value="few-backup-codes" selected>/)
    expect(text).to.contain('ann@acme.example').and.not.contain('ada@acme.example')
  })
})
