import { createHash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Decision } from '../../lib/domain/decision.js'
import type { ProofVerdict } from '../../lib/domain/proof-verdict.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { beginSetup, confirmSetup, setupOf } from '../../lib/domain/setup.js'
import { endStamp, isEnded, raiseEpoch } from '../../lib/domain/stamp.js'
import type { Authenticator } from '../../lib/factors/factors.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { backupCode as backupCodeOf, judge, keysWith, otp } from '../support/proofs.js'
import {
  authenticatorOf,
  backupCodeSet,
  DAY,
  deepFreeze,
  enrolledRecord,
  HOUR,
  MINUTE,
  NOW,
  PARAMETERS,
  recordWith,
  SECOND,
  SECRET,
  secretOf,
  wrongCode,
} from '../support/records.js'

const OWNERS = ['this-login', 'other-login'] as const
const BACKUP_CODES = ['one', 'two', 'three'] as const

/** One account whose every change goes through the decisions; what it did is written down. */
class World {
  now = NOW
  record: SecondStepRecord
  readonly acceptedSteps: number[] = []
  readonly usedBackupCodes: string[] = []
  lastCode: string | null = null

  constructor(enrolled: boolean) {
    this.record = enrolled ? enrolledRecord() : recordWith()
  }

  /** Compare-and-set, and what must hold of every decision. */
  commit<Answer extends { readonly kind: string }>(decision: Decision<Answer>): Answer {
    const { record: before } = this
    const { record: after, answer, events } = deepFreeze(decision)
    if (answer.kind === 'blocked') expect(after, 'a blocked answer').to.equal(before)
    if (after === before) expect(events, 'events without a write').to.deep.equal([])
    this.write(after)
    return answer
  }

  write(after: SecondStepRecord): void {
    const { record: before } = this
    if (after === before) return
    expect(after).to.include({ userId: before.userId, version: before.version })
    expect(after.writeId).to.equal(before.writeId)
    expect(after.epoch).to.be.at.least(before.epoch)
    for (const [index, one] of before.authenticators.entries()) {
      const still = after.authenticators[index]
      expect(still, 'an authenticator that was bound').not.to.equal(undefined)
      expect(nextOf(still)).to.be.at.least(nextOf(one))
    }
    this.record = deepFreeze({ ...after, version: before.version + 1 })
  }

  /** Somebody types this code of the authenticator at the challenge. */
  async type(code: string): Promise<ProofVerdict> {
    const { lastStep } = this
    const answer = this.commit(await judge(this.record, otp(code), { now: this.now }))
    if (answer.kind === 'accepted') this.accepted(code, lastStep)
    return answer
  }

  /** An accepted code has a step that is later than all before it, and is kept as the last one. */
  accepted(code: string, stepBefore: number): void {
    const step = this.lastStep
    expect(step).to.be.above(stepBefore)
    expect(step).to.be.above(Math.max(-1, ...this.acceptedSteps))
    expect(code).to.equal(codeAt(step, SECRET, PARAMETERS))
    // A window of one step around a clock that is at most two steps off.
    expect(Math.abs(step - this.step)).to.be.at.most(3)
    expect(this.record.attempts.consecutive).to.equal(0)
    this.acceptedSteps.push(step)
    this.lastCode = code
  }

  get lastStep(): number {
    return authenticatorOf(this.record)?.lastStep ?? -1
  }

  get step(): number {
    return Math.floor(this.now / 30_000)
  }

  codeNow(offset: number): string {
    return codeAt(this.step + offset, SECRET, PARAMETERS)
  }
}

type Command = fc.AsyncCommand<object, World>

function command(name: string, run: (world: World) => Promise<void> | void): Command {
  return { check: () => true, run: async (_model, world) => run(world), toString: () => name }
}

const advance = (by: number) =>
  command(`wait ${by} ms`, (world) => {
    world.now += by
  })

const rightCode = (offset: number) =>
  command(`code of step ${offset}`, async (world) => {
    const answer = await world.type(world.codeNow(offset))
    if (world.record.authenticators.length === 0) expect(answer.kind).to.equal('not-enrolled')
  })

const replay = () =>
  command('the last code again', async (world) => {
    if (world.lastCode === null) return
    const before = world.record
    const answer = await world.type(world.lastCode)
    expect(answer).to.satisfy((verdict: ProofVerdict) => {
      return verdict.kind === 'blocked' || (verdict.kind === 'wrong-code' && !verdict.counted)
    })
    expect(world.record).to.equal(before)
  })

const wrongCodeTyped = () =>
  command('a wrong code', async (world) => {
    const { attempts } = world.record
    const answer = await world.type(wrongCode(world.now, world.lastStep))
    expect(answer.kind).to.be.oneOf(['wrong-code', 'blocked', 'not-enrolled'])
    const counted = answer.kind === 'wrong-code' ? 1 : 0
    expect(world.record.attempts.consecutive).to.equal(attempts.consecutive + counted)
  })

const backupCode = (digest: string) =>
  command(`backup code ${digest}`, async (world) => {
    const { record: before, now } = world
    const has = before.authenticators.length > 0 && before.backupCodes !== null
    const answer = world.commit(await judge(before, backupCodeOf(digest), { now }))
    const unused = has && !world.usedBackupCodes.includes(digest)
    expect(answer.kind === 'accepted', answer.kind).to.equal(unused)
    if (answer.kind === 'accepted') world.usedBackupCodes.push(digest)
    else expect(world.record).to.equal(before)
  })

const begin = (owner: string) =>
  command(`${owner} begins a set-up`, (world) => {
    const { record, now } = world
    const own = setupOf(record, owner, now)
    const secret = createHash('sha256').update(`${owner} ${now}`).digest('base64')
    const unproven = { ...PARAMETERS, type: 'totp', secret } as const
    const asked = deepFreeze({ owner, unproven, policy: 1 })
    const answer = world.commit(beginSetup(record, asked, now))
    if (answer.kind === 'already-enrolled') {
      expect(world.record).to.equal(record)
      return
    }
    expect(answer.setup).to.include({ owner, secret: own === null ? secret : secretOf(own) })
    expect(world.record.setup).to.equal(answer.setup)
  })

const confirm = (owner: string, right: boolean) =>
  command(`${owner} confirms with a ${right ? 'right' : 'wrong'} code`, async (world) => {
    const { record, now } = world
    const code = right ? world.codeNow(0) : wrongCode(now)
    const backupCodes = deepFreeze(backupCodeSet(...BACKUP_CODES))
    const asked = { owner, given: code, id: `made at ${now}`, name: null, backupCodes }
    const moment = { now, window: 1, keys: keysWith() }
    const answer = world.commit(await confirmSetup(record, asked, moment))
    if (answer.kind !== 'enrolled') {
      expect(world.record.authenticators).to.equal(record.authenticators)
      return
    }
    expect(right).to.equal(true)
    expect(setupOf(record, owner, now)).not.to.equal(null)
    expect(world.record).to.include({ epoch: record.epoch + 1, setup: null })
    world.accepted(code, -1)
  })

const logOut = (id: string) =>
  command(`stamp ${id} is ended`, (world) => {
    world.write(endStamp(world.record, id))
    expect(isEnded(world.record, { id, version: 0 })).to.equal(true)
    expect(world.record.ended.length).to.be.at.most(50)
  })

const endSessions = () =>
  command('all sessions are ended', (world) => {
    const { epoch } = world.record
    world.write(raiseEpoch(world.record))
    expect(world.record.epoch).to.equal(epoch + 1)
  })

const waits = [1, SECOND, 30 * SECOND, MINUTE, 10 * MINUTE, HOUR, DAY, 31 * DAY]
const commands = [
  fc.constantFrom(...waits).map(advance),
  fc.constantFrom(-2, -1, 0, 1, 2).map(rightCode),
  fc.constant(null).map(replay),
  fc.constant(null).map(wrongCodeTyped),
  fc.constantFrom(...BACKUP_CODES).map(backupCode),
  fc.constantFrom(...OWNERS).map(begin),
  fc.tuple(fc.constantFrom(...OWNERS), fc.boolean()).map(([owner, right]) => confirm(owner, right)),
  fc.constantFrom('a', 'b', 'c').map(logOut),
  fc.constant(null).map(endSessions),
]

/** The step or the counter of the next code that can be right. */
function nextOf(one: Authenticator | undefined): number {
  if (one === undefined) return -1
  return one.type === 'totp' ? one.lastStep + 1 : one.counter
}

describe('any sequence of set-ups, codes, waits and log-outs', () => {
  for (const enrolled of [false, true]) {
    const who = enrolled ? 'of an enrolled user' : 'from a blank record on'
    it(`accepts each step and each backup code once, and goes only forward, ${who}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.commands(commands, { maxCommands: 80, size: 'max' }),
          async (sequence) => {
            await fc.asyncModelRun(() => ({ model: {}, real: new World(enrolled) }), sequence)
          },
        ),
        { numRuns: 150 },
      )
    })
  }
})
