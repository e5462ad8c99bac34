import { expect } from 'chai'
import type { Decision } from '../../lib/domain/decision.js'
import type { SecondStepEvent } from '../../lib/domain/event.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { raiseEpoch } from '../../lib/domain/stamp.js'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import type { RecordStore } from '../../lib/ports/record-store.js'
import type { System } from '../../lib/ports/system.js'
import { DEFAULT_TIMEOUT } from '../../lib/ports/with-timeout.js'
import { type AnnouncedEvent, Announcer } from '../../lib/service/announcer.js'
import { Records } from '../../lib/service/records.js'
import { NOW } from '../support/records.js'

export const requestInfo = { ip: '192.0.2.1', userAgent: 'a browser' }
export const happened: SecondStepEvent = { type: 'sessions-ended', method: null }

/** A promise as a store gives it whose server does not answer. */
export function silence<T>(): Promise<T> {
  return new Promise<T>(() => {})
}

/** A store whose answers each test writes down; what it was asked is kept, in order. */
export class ScriptedStore implements RecordStore {
  readonly calls: string[] = []
  readonly written: SecondStepRecord[] = []
  stored: unknown = null
  policy: unknown = null
  /** As few stores have it, none by default. */
  read?: NonNullable<RecordStore['read']>
  waitsForReplicas?: boolean
  findMany?: NonNullable<RecordStore['findMany']>
  answers: { find?: () => unknown; write?: () => unknown; open?: () => unknown } = {}

  async find(userId: string): Promise<SecondStepRecord | null> {
    this.calls.push(`find ${userId}`)
    return (this.answers.find ? await this.answers.find() : this.stored) as SecondStepRecord | null
  }

  async write(record: SecondStepRecord, expectedVersion: number): Promise<boolean> {
    this.calls.push(`write ${record.version} over ${expectedVersion}`)
    this.written.push(record)
    const answer = this.answers.write ? await this.answers.write() : true
    if (answer === true) this.stored = record
    return answer as boolean
  }

  async findPolicy(): Promise<null> {
    this.calls.push('findPolicy')
    return (await this.policy) as null
  }

  async writePolicy(..._given: unknown[]): Promise<boolean> {
    throw new Error('not asked for here')
  }

  async list(): Promise<null> {
    throw new Error('not asked for here')
  }

  /** As `open` was told last. */
  timeout: number | undefined

  async open(environment: { production: boolean; timeout?: number }): Promise<void> {
    const { production } = environment
    this.timeout = environment.timeout
    this.calls.push(production ? 'open for production' : 'open')
    await this.answers.open?.()
  }
}

export function world(
  environment: {
    production?: boolean
    timeout?: number
    backupCodes?: boolean
    window?: number
  } = {},
) {
  const store = new ScriptedStore()
  const announced: AnnouncedEvent[] = []
  let drawn = 0
  const system: System = {
    now: () => NOW,
    random: (size) => {
      drawn += 1
      return new Uint8Array(size).fill(drawn)
    },
  }
  const announcer = new Announcer(system)
  announcer.events.on('event', (event) => {
    store.calls.push(`announced ${event.type}`)
    announced.push(event)
  })
  const records = new Records(store, system, announcer, {
    production: false,
    timeout: DEFAULT_TIMEOUT,
    ...environment,
  })
  return { store, announced, announcer, records, system }
}

/** A decision that changes the record; how often it was taken and on what is kept. */
export function raising(seen: SecondStepRecord[] = []) {
  return (record: SecondStepRecord): Decision<string> => {
    seen.push(record)
    return { record: raiseEpoch(record), answer: `epoch ${record.epoch + 1}`, events: [happened] }
  }
}

export async function refusal(promise: Promise<unknown>): Promise<UnavailableError> {
  const outcome = await promise.then(
    (answer) => ({ answer }),
    (error: unknown) => error,
  )
  expect(outcome).to.be.instanceOf(UnavailableError)
  return outcome as UnavailableError
}
