// The attack: somebody who has the password, and at most one backup code, does all day what a code buys. Each
// set-up, change of key and new set gives ten codes, and each code causes a mail and entries of the log: the
// owner's mailbox is flooded, and the changes that they should read are pushed out of a log of 1,000.

import { expect } from 'chai'
import { isAttempt } from '../../../lib/domain/event-kind.js'
import type { AuditPage } from '../../../lib/ports/audit-log.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { DAY, movedSystem, SECOND } from '../../support/clock.js'
import { type Host, makeHost } from '../../support/host.js'
import { type LostHost, lostHost, member } from '../../support/lost.js'
import { movedCounters } from '../../support/moved-counters.js'
import { setPolicy } from '../../support/visits.js'

/** So many sets of codes a day one user can get. */
const SETS = 30

function attackedHost() {
  const system = movedSystem()
  const lost = lostHost({ counters: movedCounters(system), showKey: true })
  const host = makeHost({ ...lost.options, system })
  const heard: string[] = []
  host.secondStep.events.on('event', ({ type }) => void heard.push(type))
  return { host, lost, heard }
}

const useUp = async (browser: Browser, codes: readonly string[]) => {
  for (const code of codes) await postJson(browser, '/second-step/fresh', { code }).expect(200)
}

/** Confirms the set-up that is shown, and says the new codes, or null where that is refused. */
async function confirmed(host: Host, browser: Browser, uri: string) {
  const code = virtualAuthenticator(uri).code(host.system.now())
  const { status, body } = await postJson(browser, '/second-step/setup', { code })
  if (status === 429) return null
  expect(status).to.equal(200)
  await postJson(browser, '/second-step/backup-codes/saved').expect(200)
  return body.backupCodes as readonly string[]
}

/** The changes that the log notes of Ann's, by type. */
async function notedOf({ store }: Host): Promise<Readonly<Record<string, number>>> {
  const noted: Record<string, number> = {}
  for (let cursor: string | null = null; ; ) {
    const page: AuditPage | null | undefined = await store.audit?.list({
      user: member.id,
      cursor,
      limit: 100,
    })
    const changes = (page?.entries ?? []).filter((entry) => !isAttempt(entry))
    for (const { type } of changes) noted[type] = (noted[type] ?? 0) + 1
    cursor = page?.next ?? null
    if (cursor === null) return noted
  }
}

const total = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

const mailsAbout = ({ mails }: LostHost, words: string) =>
  mails.filter(({ subject }) => subject.includes(words))

describe('a day of somebody who has the password alone, of a user without a second step', () => {
  it('fills less than half of a user’s log, and sends a hundred mails at most', async () => {
    const { host, lost, heard } = attackedHost()
    const browser = browserOf(host)
    await passFirstStep(browser, member)
    let [rounds, shown] = [0, 0]
    for (;;) {
      const { body } = await getJson(browser, '/second-step/setup').expect(200)
      const codes = await confirmed(host, browser, body.uri)
      if (codes === null) break
      const [off = '', show = '', ...others] = codes
      const key = await postJson(browser, '/second-step/show-key', { code: show })
      if (key.status === 200) shown += 1
      await useUp(browser, others)
      await postJson(browser, '/second-step/disable', { code: off }).expect(200)
      rounds += 1
    }
    await lost.idle(host)
    expect([rounds, shown]).to.deep.equal([SETS, 20])
    const noted = await notedOf(host)
    expect(noted).to.include({
      enrolled: SETS,
      disabled: SETS,
      'backup-codes-saved': SETS,
      'key-shown': 20,
      'backup-code-used': 20,
      'backup-codes-low': 20,
      'code-accepted': 100,
    })
    expect(total(noted)).to.be.below(500)
    expect(lost.mails).to.have.length.of.at.most(100)
    expect(heard.length, 'listeners hear of all').to.be.above(700)
  })
})

describe('a day of somebody who has the password and one backup code', () => {
  it('has one budget for new keys and new sets of codes, and lets the owner read what happened', async () => {
    const { host, lost } = attackedHost()
    const { backupCodes } = await enrol(host, member)
    await setPolicy(host, { mode: 'required' })
    const browser = browserOf(host)
    await passFirstStep(browser, member)
    await giveCode(browser, backupCodes[0] ?? '').expect(200)
    let codes: readonly string[] = backupCodes.slice(1, 2)
    let sets = 1
    for (;;) {
      const [first = '', ...others] = codes
      await useUp(browser, others)
      const change = sets % 2 === 0
      const path = change ? '/second-step/change-key' : '/second-step/backup-codes'
      const { status, body } = await postJson(browser, path, { code: first })
      const made: readonly string[] | null =
        status === 429 ? null : change ? await confirmed(host, browser, body.uri) : body.backupCodes
      if (made === null) break
      codes = made
      sets += 1
    }
    await lost.idle(host)
    expect(sets).to.equal(SETS)
    expect(total(await notedOf(host))).to.be.below(500)
    expect(lost.mails.length).to.be.at.most(SETS + 10)
  })
})

describe('the mail about a used backup code', () => {
  it('goes out ten times a day, and the next one tells how many were held back', async () => {
    const { host, lost } = attackedHost()
    const { backupCodes } = await enrol(host, member)
    const browser = browserOf(host)
    await passFirstStep(browser, member)
    await giveCode(browser, backupCodes[0] ?? '').expect(200)
    await useUp(browser, backupCodes.slice(1, 9))
    const { body } = await postJson(browser, '/second-step/backup-codes', { code: backupCodes[9] })
    await useUp(browser, body.backupCodes.slice(0, 3))
    await lost.idle(host)
    expect(mailsAbout(lost, 'backup code was used')).to.have.length(10)

    host.system.advance(DAY + SECOND)
    const later = browserOf(host)
    await passFirstStep(later, member)
    await giveCode(later, body.backupCodes[3]).expect(200)
    await lost.idle(host)
    const mails = mailsAbout(lost, 'backup code was used')
    expect(mails).to.have.length(11)
    expect(mails.at(-1)?.text).to.contain('It happened 3 more times')
  })
})
