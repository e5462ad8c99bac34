// The attack: among several devices that come and go, a code opens a second door, a removed device goes on
// signing in, or a clock's offset that was learned makes an old code good.

import { expect } from 'chai'
import fc from 'fast-check'
import { hasNoRoom } from '../../lib/domain/authenticators.js'
import type { Decision } from '../../lib/domain/decision.js'
import { removeByUser, renameByUser } from '../../lib/domain/own-authenticators.js'
import { parseRecord } from '../../lib/domain/parse-record.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { decodeRecord, encodeRecord } from '../../lib/domain/record-bytes.js'
import { beginKeyChange, confirmSetup } from '../../lib/domain/setup.js'
import type { Replaced } from '../../lib/domain/setup-place.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import { judge, keysWith, otp } from '../support/proofs.js'
import {
  authenticatorWith,
  DAY,
  enrolledRecord,
  MINUTE,
  NOW,
  PARAMETERS,
  SECOND,
  UNPROVEN,
  USER,
} from '../support/records.js'

/** A sealed secret is its own bytes in hex. */
const keys = keysWith({
  open: async (sealed) => ({ secret: Buffer.from(sealed, 'hex'), stale: false }),
  seal: async (secret) => Buffer.from(secret).toString('hex'),
})

interface Device {
  readonly id: string
  readonly secret: Uint8Array
  /** Steps that its clock is off. */
  readonly off: number
}

class World {
  now = NOW
  devices: Device[] = []
  gone: Device[] = []
  readonly #opened = new Set<string>()
  #made = 0
  record: SecondStepRecord

  constructor() {
    const first = this.#make(0)
    this.devices = [first]
    const secret = Buffer.from(first.secret).toString('hex')
    this.record = enrolledRecord({
      authenticators: [authenticatorWith({ id: first.id, secret, lastStep: -1 })],
    })
  }

  #make(off: number): Device {
    this.#made += 1
    return { id: `device-${this.#made}`, secret: Buffer.alloc(20, this.#made), off }
  }

  codeOf({ secret, off }: Device, typedLate = 0): string {
    const step = Math.floor(this.now / 30_000) + off - typedLate
    return codeAt(step, secret, PARAMETERS)
  }

  /** Whatever a decision leaves is a record that is kept and read as it is. */
  commit<Answer>({ record, answer }: Decision<Answer>): Answer {
    const next = { ...record, version: this.record.version + 1 }
    expect(decodeRecord(encodeRecord(next))).to.deep.equal(next)
    expect(parseRecord(next, USER)).to.equal(next)
    this.record = next
    return answer
  }

  async type(code: string): Promise<boolean> {
    const before = this.record.authenticators
    const answer = this.commit(
      await judge(this.record, otp(code), { now: this.now, window: 1, keys }),
    )
    if (answer.kind !== 'accepted') return false
    const burned = this.record.authenticators.filter((one, at) => one !== before[at])
    expect(burned, 'one device gave it').to.have.length(1)
    for (const one of burned) {
      const step = one.type === 'totp' ? one.lastStep : -1
      const was = before.find(({ id }) => id === one.id)
      expect(step).to.be.above(was?.type === 'totp' ? was.lastStep : step)
      const door = `${one.id} ${step}`
      expect(this.#opened.has(door), door).to.equal(false)
      this.#opened.add(door)
    }
    return true
  }

  get opened(): number {
    return this.#opened.size
  }

  async bind(replaces: Replaced, off: number): Promise<void> {
    const device = this.#make(off)
    const secret = Buffer.from(device.secret).toString('hex')
    const command = { owner: 'stamp', unproven: { ...UNPROVEN, secret }, replaces, policy: 1 }
    this.commit(beginKeyChange(this.record, command, this.now))
    const { id } = device
    const asked = { owner: 'stamp', given: this.codeOf(device), id, name: id, backupCodes: null }
    const moment = { now: this.now, window: 1, keys }
    const full = replaces === 'none' && hasNoRoom(this.record, 'totp')
    const answer = this.commit(await confirmSetup(this.record, asked, moment))
    expect(answer.kind).to.equal(full ? 'setup-expired' : 'enrolled')
    if (full) return
    const at = typeof replaces === 'object' ? replaces.id : null
    this.gone.push(...this.devices.filter((one) => one.id === at))
    this.devices = [...this.devices.filter((one) => one.id !== at), device]
    expect(await this.type(this.codeOf(device)), 'the code of the set-up').to.equal(false)
  }

  remove(device: Device): void {
    this.commit(removeByUser(this.record, device.id, { window: 1, now: this.now }))
    this.devices = this.devices.filter((one) => one !== device)
    this.gone.push(device)
  }
}

type Act = (world: World) => Promise<unknown>

const nth = fc.nat({ max: 4 })
const off = fc.integer({ min: -2, max: 2 })
const pick = (devices: readonly Device[], at: number) => devices[at % Math.max(1, devices.length)]

const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(nth, fc.nat({ max: 1 })).map(([at, late]): Act => {
    return async (world) => {
      const device = pick(world.devices, at)
      if (device !== undefined) await world.type(world.codeOf(device, late))
    }
  }),
  nth.map((at): Act => {
    return async (world) => {
      const device = pick(world.gone, at)
      if (device !== undefined) expect(await world.type(world.codeOf(device))).to.equal(false)
    }
  }),
  off.map(
    (clock): Act =>
      (world) =>
        world.bind('none', clock),
  ),
  fc.tuple(nth, off).map(([at, clock]): Act => {
    return async (world) => {
      const device = pick(world.devices, at)
      if (device !== undefined) await world.bind({ id: device.id }, clock)
    }
  }),
  nth.map((at): Act => {
    return async (world) => {
      const device = pick(world.devices, at)
      if (device !== undefined && world.devices.length > 1) world.remove(device)
    }
  }),
  nth.map((at): Act => {
    return async (world) => {
      const device = pick(world.devices, at)
      if (device !== undefined) world.commit(renameByUser(world.record, device.id, `n${at}`))
    }
  }),
  fc.constantFrom(SECOND, 10 * SECOND, 30 * SECOND, MINUTE, DAY).map((by): Act => {
    return async (world) => {
      world.now += by
    }
  }),
)

describe('devices that come and go', () => {
  it('open each door once, go forward, and end when they are removed', async () => {
    let opened = 0
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 40, size: 'max' }), async (sequence) => {
        const world = new World()
        for (const act of sequence) {
          await act(world)
          const bound = world.record.authenticators.map(({ id }) => id)
          expect(bound).to.have.members(world.devices.map(({ id }) => id))
          expect(bound.length).to.be.within(1, 5)
        }
        opened += world.opened
      }),
      { numRuns: 150 },
    )
    expect(opened).to.be.above(0)
  })
})
