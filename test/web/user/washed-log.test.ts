// Somebody who has the password, and whose wrong codes are in the user's log, fills the log with
// whatever else costs nothing, until it has forgotten them: it has room for 100 attempts of a user.

import { expect } from 'chai'
import { isAttempt } from '../../../lib/domain/event-kind.js'
import type { AuditPage } from '../../../lib/ports/audit-log.js'
import { giveCode } from '../../support/browser.js'
import { DAY, MINUTE, movedSystem } from '../../support/clock.js'
import type { Host } from '../../support/host.js'
import { lostHost, member } from '../../support/lost.js'
import { movedCounters } from '../../support/moved-counters.js'
import { enrolledVisit, pendingBrowser, wrongCodeOf } from '../../support/visits.js'

const NO_BACKUP_CODE = '000000-000000-000000-000000'
const ROOM = 100

describe('the log of a user', () => {
  it('still has a wrong code after 200 wrong backup codes, and mails that fail', async () => {
    const system = movedSystem()
    const failing = { sendMail: () => Promise.reject(new Error('away')) }
    const mail = { from: 'Acme <no-reply@acme.example>', transport: failing }
    const { options, idle } = lostHost({ counters: movedCounters(system), mail })
    const { host, enrolment } = await enrolledVisit({ ...options, system })
    const heard: string[] = []
    host.secondStep.events.on('wrong-code', ({ method }) => void heard.push(method ?? ''))
    const wrong = wrongCodeOf(host, enrolment)
    await giveCode(await pendingBrowser(host, member), wrong).expect(401)
    for (let login = 0; login < 40; login += 1) {
      system.advance(10 * MINUTE)
      const browser = await pendingBrowser(host, member)
      for (let code = 0; code < 5; code += 1) await giveCode(browser, NO_BACKUP_CODE).expect(401)
    }
    await idle(host)
    const attempts = await attemptsIn(host)
    expect(attempts.slice(0, ROOM)).to.include('wrong-code totp')
    expect(backupIn(attempts)).to.have.length(20)
    expect(attempts.filter((attempt) => attempt.startsWith('pending-login'))).to.have.length(5)
    expect(heard, 'listeners hear of all').to.have.length(201)

    system.advance(DAY)
    await giveCode(await pendingBrowser(host, member), NO_BACKUP_CODE).expect(401)
    await idle(host)
    expect(backupIn(await attemptsIn(host)), 'noted again the next day').to.have.length(21)
  })
})

const backupIn = (attempts: readonly string[]) =>
  attempts.filter((attempt) => attempt === 'wrong-code backup-code')

/** The attempts that the log has about Ann, the newest first. */
async function attemptsIn({ store }: Host): Promise<readonly string[]> {
  const attempts: string[] = []
  let cursor: string | null = null
  do {
    const page: AuditPage | null | undefined = await store.audit?.list({
      user: member.id,
      cursor,
      limit: 100,
    })
    const found = (page?.entries ?? []).filter(isAttempt)
    attempts.push(...found.map(({ type, method }) => `${type} ${method}`))
    cursor = page?.next ?? null
  } while (cursor !== null)
  return attempts
}
