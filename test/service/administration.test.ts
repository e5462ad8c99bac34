import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { SecondStepEventType } from '../../lib/domain/event.js'
import { FOREVER } from '../../lib/domain/pause.js'
import type { Subject } from '../../lib/domain/policy.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import type { AdminAnswer } from '../../lib/service/admin-changes.js'
import { AdminLimits } from '../../lib/service/admin-limits.js'
import { type AnnouncedEvent, Announcer } from '../../lib/service/announcer.js'
import { memoryStore } from '../../lib/stores/memory-store.js'
import { wire } from '../../lib/wiring.js'
import { ADMIN, changeOf } from '../support/administration.js'
import { DAY, movedSystem } from '../support/clock.js'
import { enrolledRecord, NOW, USER } from '../support/records.js'

const change = changeOf(USER, 'asked on the phone')

/** An app with one user who has a second step, and all that was announced of it. */
async function world(given: { users?: Readonly<Record<string, Subject>> } = {}) {
  const store = memoryStore()
  const system = movedSystem(NOW)
  const { users } = given
  const findById = async (id: string) => (users?.[id] === undefined ? null : { id, ...users[id] })
  const wired = wire<{ id: string }>({
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [randomBytes(32).toString('base64')],
    store,
    system,
    ...(users === undefined ? {} : { users: { findById }, roles: ['user', 'boss'] }),
  })
  await store.write(enrolledRecord({ version: 1 }), 0)
  const events: AnnouncedEvent[] = []
  wired.announcer.events.on('event', (event) => events.push(event))
  const { administration, audit } = wired.site
  const record = async () => {
    const found = await store.find(USER)
    if (found === null) throw new Error('the record is gone')
    return found
  }
  return { ...wired, administration, audit, store, system, events, record }
}

function typesOf(events: readonly AnnouncedEvent[]): readonly SecondStepEventType[] {
  return events.map(({ type }) => type)
}

describe('The administration', () => {
  it('says who did it and why, to listeners and to the audit log', async () => {
    const { administration, events, audit } = await world()
    await administration.reset(change)
    expect(events).to.have.length(1)
    expect(events[0]).to.deep.include({
      type: 'reset',
      actor: ADMIN,
      user: USER,
      ip: '192.0.2.99',
      reason: 'asked on the phone',
    })
    const [entry] = await audit.lastOf(USER)
    expect(entry).to.deep.include({ type: 'reset', actor: ADMIN, reason: 'asked on the phone' })
  })

  it('answers with the state that is now', async () => {
    const { administration, system } = await world()
    const state = async (answer: Promise<AdminAnswer<unknown>>) => {
      const done = await answer
      return done.kind === 'done' ? done.state : done.kind
    }
    expect(await state(administration.pause(change, 3))).to.equal('paused')
    system.advance(3 * DAY)
    expect(await state(administration.unlock(change))).to.equal('on')
    expect(await state(administration.endSessions(change))).to.equal('on')
    expect(await state(administration.reset(change))).to.equal('must-set-up')
    expect(await state(administration.makeBackupCodes(change))).to.equal('not-enrolled')
    expect(await state(administration.disable(change))).to.equal('off')
  })

  it('says until when a pause lasts', async () => {
    const { administration } = await world()
    const until = {
      kind: 'done',
      state: 'paused',
      changed: true,
      result: { pausedUntil: NOW + 3 * DAY },
    }
    expect(await administration.pause(change, 3)).to.deep.equal(until)
    const forever = { ...until, result: { pausedUntil: FOREVER } }
    expect(await administration.pause(change, 'forever')).to.deep.equal(forever)
  })

  it('writes nothing where there is nothing to do, or nothing is done', async () => {
    const { administration, events, record } = await world()
    const before = await record()
    for (const act of [
      administration.resume(change),
      administration.unlock(change),
      administration.disable(changeOf('nobody')),
      administration.reset(changeOf('nobody')),
      administration.pause(changeOf('nobody'), 1),
    ]) {
      await act
    }
    expect(await record()).to.deep.equal(before)
    expect(events).to.deep.equal([])
  })

  it('asks the rules about the target’s roles, as the policy is at the write', async () => {
    const { administration } = await world()
    const requestInfo = change.requestInfo
    await administration.changePolicy(requestInfo, { roles: { boss: 'required' } })
    const subject = (...roles: string[]) => ({ roles, createdAt: null, privileged: true })
    const boss = await administration.disable({ ...change, subject: subject('boss') })
    expect(boss).to.deep.equal({ kind: 'required-by-policy' })
    const user = await administration.disable({ ...change, subject: subject('user') })
    expect(user.kind).to.equal('done')
  })

  it('shows backup codes once, ten of them, and marks the set as seen', async () => {
    const { administration, record } = await world()
    const made = await administration.makeBackupCodes(change)
    if (made.kind !== 'done') throw new Error(made.kind)
    expect(made.result).to.have.length(10)
    const stored = JSON.stringify(await record())
    for (const code of made.result) {
      expect(code).to.match(/^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$/)
      expect(stored).not.to.contain(code).and.not.contain(code.replaceAll('-', ''))
    }
    expect((await record()).backupCodes?.seenByAdmin).to.equal(true)
  })

  it('shows a one-time code once, good for 24 hours; nothing of it is kept or announced', async () => {
    const { administration, record, events } = await world()
    const [one, two] = [
      await administration.makeOneTimeCode(change),
      await administration.makeOneTimeCode(change),
    ]
    if (one.kind !== 'done' || two.kind !== 'done') throw new Error('refused')
    expect(one.result.code).to.match(/^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$/)
    expect(one.result.code).not.to.equal(two.result.code)
    expect(one.result.expiresAt).to.equal(NOW + DAY)
    const told = JSON.stringify([await record(), events])
    for (const { code } of [one.result, two.result]) {
      expect(told).not.to.contain(code).and.not.contain(code.replaceAll('-', ''))
    }
    expect((await record()).oneTimeCodes).to.have.length(2)
    expect(typesOf(events)).to.deep.equal(['one-time-code-made', 'one-time-code-made'])
  })

  it('decides again after a lost race: of two resets and a pause none is lost', async () => {
    const { administration, record, events } = await world()
    await Promise.all([
      administration.endSessions(change),
      administration.endSessions(change),
      administration.pause(change, 5),
      administration.endSessions(change),
    ])
    const { epoch, pausedUntil } = await record()
    expect([epoch, pausedUntil]).to.deep.equal([4, NOW + 5 * DAY])
    expect(events).to.have.length(4)
  })

  it('changes the policy once, and says what', async () => {
    const { administration, events, store } = await world()
    const changes = { mode: 'required', graceDays: 2 } as const
    const changed = await administration.changePolicy(change.requestInfo, changes)
    const policy = changed.kind === 'changed' ? changed.policy : null
    expect(policy).to.deep.include({ ...changes, updatedAt: NOW, updatedBy: ADMIN, version: 1 })
    expect(await administration.policy()).to.deep.equal(policy)
    await administration.changePolicy(change.requestInfo, changes)
    expect((await store.findPolicy())?.version).to.equal(1)
    expect(typesOf(events)).to.deep.equal(['policy-changed'])
    const before = { mode: 'optional', graceDays: 7 }
    const detail = { changed: changes, before }
    expect(events[0]).to.deep.include({ user: null, actor: ADMIN, detail })
  })

  it('loses no change of the policy in a race', async () => {
    const { administration } = await world()
    const { requestInfo } = change
    await Promise.all([
      administration.changePolicy(requestInfo, { graceDays: 1 }),
      administration.changePolicy(requestInfo, { codeAttempts: 3 }),
      administration.changePolicy(requestInfo, { mode: 'required' }),
    ])
    const policy = await administration.policy()
    expect(policy).to.deep.include({ graceDays: 1, codeAttempts: 3, mode: 'required', version: 3 })
  })

  it('announces refused changes', async () => {
    const { administration, events } = await world()
    const refusal = { action: 'reset', code: 'forbidden' } as const
    await administration.refused(USER, change.requestInfo, refusal)
    await administration.refused(null, change.requestInfo, { ...refusal, action: 'policy' })
    expect(events.map(({ user, detail }) => ({ user, detail }))).to.deep.equal([
      { user: USER, detail: refusal },
      { user: null, detail: { action: 'policy', code: 'forbidden' } },
    ])
  })
})

describe('The status of a user', () => {
  const plain = (...roles: string[]) => ({ roles, createdAt: null, privileged: false })

  it('tells of pauses and their end', async () => {
    const { administration, status, system } = await world()
    await administration.pause(change, 3)
    const until = new Date(NOW + 3 * DAY)
    expect(await status.of(USER)).to.deep.include({ state: 'paused', pausedUntil: until })
    system.advance(3 * DAY)
    expect(await status.of(USER)).to.deep.include({ state: 'on', pausedUntil: null })
    await administration.pause(change, 'forever')
    expect(await status.of(USER)).to.deep.include({ state: 'paused', pausedUntil: 'forever' })
  })

  it('tells until when an authenticator must be set up', async () => {
    const { administration, status } = await world({
      users: { [USER]: plain('user'), bob: plain('boss') },
    })
    await administration.reset(change)
    const deadline = { state: 'must-set-up', setupDeadline: new Date(NOW + 7 * DAY) }
    expect(await status.of(USER)).to.deep.include({ ...deadline, since: null })
    expect(await status.of('bob')).to.deep.include({ state: 'off', setupDeadline: null })
    await administration.changePolicy(change.requestInfo, { roles: { boss: 'required' } })
    expect(await status.of('bob')).to.deep.include(deadline)
  })

  it('is off for an unknown id, whatever the policy requires', async () => {
    const { administration, status } = await world({ users: { [USER]: plain() } })
    await administration.changePolicy(change.requestInfo, { mode: 'required' })
    expect(await status.of('nobody')).to.deep.equal({
      state: 'off',
      since: null,
      backupCodesLeft: 0,
      lockedUntil: null,
      pausedUntil: null,
      setupDeadline: null,
    })
    expect(await status.of(USER)).to.include({ state: 'on' })
  })
})

describe('The changes of one admin', () => {
  // A stolen session of an admin's must not lift the second step of everybody at once.
  it('are 60 in 10 minutes; the first refusal of a window is announced, once', async () => {
    const announcer = new Announcer(movedSystem())
    const events: AnnouncedEvent[] = []
    announcer.events.on('event', (event) => events.push(event))
    const limits = new AdminLimits(memoryCounters(), announcer)
    const { requestInfo } = change
    const take = () => limits.takeForChange('root', requestInfo)
    const taken = await Promise.all(Array.from({ length: 60 }, take))
    expect(taken.map(({ kind }) => kind)).to.deep.equal(Array.from({ length: 60 }, () => 'taken'))
    expect(events).to.deep.equal([])
    const refused = await Promise.all(Array.from({ length: 5 }, take))
    for (const refusal of refused) {
      expect(refusal.kind).to.equal('too-many-attempts')
      expect(refusal).to.have.property('retryAfter').that.is.within(590, 600)
    }
    expect(events).to.have.length(1)
    expect(events[0]).to.deep.include({ type: 'too-many-changes', user: null, actor: ADMIN })
    expect((await limits.takeForChange('other', requestInfo)).kind).to.equal('taken')
  })
})
