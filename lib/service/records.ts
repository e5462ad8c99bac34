import type { Decision } from '../domain/decision.js'
import type { SecondStepEvent } from '../domain/event.js'
import { noteLock } from '../domain/miss-budget.js'
import { BrokenRecordError, parsePolicy, parseRecord } from '../domain/parse-record.js'
import { defaultPolicy, type Policy } from '../domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../domain/record.js'
import { type SerialClaim, tokensGone } from '../domain/serial-claim.js'
import { isNamedBy, nameWrite } from '../domain/write-name.js'
import { UnavailableError } from '../errors/unavailable-error.js'
import type { RecordQuery, RecordStore } from '../ports/record-store.js'
import type { System } from '../ports/system.js'
import { briefly } from '../ports/time-limit.js'
import { withTimeout } from '../ports/with-timeout.js'
import { type AnnouncedWrite, AnnouncedWrites } from './announced-writes.js'
import type { Announcer, RequestInfo } from './announcer.js'
import type { Audit } from './audit.js'
import type { WriteWatcher } from './change-news.js'
import { FailureReporter } from './failure-reporter.js'
import { LateWrites, type Named, type News, type SentWrite } from './late-writes.js'
import { SerialClaims } from './serial-claims.js'
import { Tries } from './tries.js'
import { Turns } from './turns.js'
import type { UnfulfilledRules } from './unfulfilled-rules.js'

const PART = 'the record store'
const LOOKS_EVERY = 2000

/** The result of a change of the policy, like `Decision` for a record. */
export interface PolicyDecision<Answer> {
  readonly policy: Policy
  readonly answer: Answer
  readonly events: readonly SecondStepEvent[]
}

/**
 * A page of a list, with its unreadable records listed apart: one record must not hide the others.
 */
export interface ReadPage {
  readonly records: readonly SecondStepRecord[]
  /** The users whose records are damaged. */
  readonly damaged: readonly string[]
  /** Lost records, and damaged ones without a readable user, in the store's words. */
  readonly lost: readonly string[]
  /** What the page leaves out because a part of the list is lost, one sentence each. */
  readonly lostLists: readonly string[]
  readonly next: string | null
}

/** The users on a page of a list. `next` as in `RecordPage`. */
export interface IdPage {
  readonly ids: readonly string[]
  /** As in `ReadPage`. */
  readonly lostLists: readonly string[]
  readonly next: string | null
}

interface Change<Answer> {
  readonly userId: string
  readonly requestInfo: RequestInfo
  readonly decide: (
    record: SecondStepRecord,
    now: number,
  ) => Decision<Answer> | Promise<Decision<Answer>>
  /** Hands what was written to the changes that wait for their turn. */
  readonly leave: (written: SecondStepRecord) => void
  /** Whether an answer that changes nothing promises what is stored. */
  readonly confirms: boolean
}

/** Loads records and changes them by compare-and-set. */
export class Records {
  readonly #store: RecordStore
  readonly #system: System
  readonly #announcer: Announcer
  readonly #production: boolean
  readonly #backupCodes: boolean
  readonly #window: number
  readonly #timeout: number
  readonly #lateWrites: LateWrites
  readonly #announcedWrites: AnnouncedWrites
  readonly #claims: SerialClaims
  readonly #turns: Turns<SecondStepRecord>
  readonly #watcher: WriteWatcher | null
  readonly #rules: Pick<UnfulfilledRules, 'see'> | null
  #opening: Promise<void> | null = null
  #isOpen = false

  constructor(
    store: RecordStore,
    system: System,
    announcer: Announcer,
    environment: {
      production: boolean
      /** Milliseconds that one call of the store may take. */
      timeout: number
      backupCodes?: boolean
      window?: number
      /** Milliseconds between two looks for a write whose end is not known. Default 2000. */
      lookEvery?: number
      /** Tells the operator what fails in the background. */
      failureReporter?: FailureReporter
      /** The audit log, if it is the one of the store's `writeWith`. */
      ownAudit?: Audit | null
      /** Who keeps something of the records. */
      watcher?: WriteWatcher | null
      /** Sees each policy that is read. */
      rules?: Pick<UnfulfilledRules, 'see'>
    },
  ) {
    this.#store = store
    this.#system = system
    this.#announcer = announcer
    this.#production = environment.production
    this.#timeout = environment.timeout
    this.#backupCodes = environment.backupCodes ?? true
    this.#window = environment.window ?? 1
    // Half of what one call may take: a refusal is due within two seconds, waiting included.
    this.#turns = new Turns(environment.timeout / 2)
    this.#watcher = environment.watcher ?? null
    this.#rules = environment.rules ?? null
    this.#claims = new SerialClaims({ store, system, timeout: environment.timeout })
    this.#announcedWrites = new AnnouncedWrites(store, announcer, environment.ownAudit ?? null)
    const { lookEvery = LOOKS_EVERY, failureReporter = new FailureReporter(system) } = environment
    const report = (error: unknown) => failureReporter.report(error)
    this.#lateWrites = new LateWrites(system, { every: lookEvery, report })
  }

  /** Opens the store once. After a failure, the next call tries again. */
  open(): Promise<void> {
    const { open } = this.#store
    if (open === undefined) return Promise.resolve()
    this.#opening ??= this.#withTimeout(() =>
      open.call(this.#store, { production: this.#production, timeout: this.#timeout }),
    ).then(
      () => {
        this.#isOpen = true
      },
      (error: unknown) => {
        this.#opening = null
        throw error
      },
    )
    return this.#opening
  }

  /** @throws UnavailableError where the record cannot be read, also when it is nonsense */
  async find(userId: string): Promise<SecondStepRecord> {
    await this.open()
    return this.#withTimeout(async () => this.#record(userId, await this.#store.find(userId)))
  }

  /**
   * The records of many users, in the order of their ids: in few trips where the store can.
   *
   * @returns null for a record that is damaged or lost, which must not hide the others
   * @throws UnavailableError where another record cannot be read
   */
  async findMany(userIds: readonly string[]): Promise<readonly (SecondStepRecord | null)[]> {
    await this.open()
    const { findMany } = this.#store
    if (findMany === undefined) {
      return Promise.all(userIds.map((userId) => this.#findUnlessBroken(userId)))
    }
    return this.#withTimeout(async () => {
      const found = await findMany.call(this.#store, userIds)
      if (found.length !== userIds.length) throw new Error('findMany answered for other users')
      return userIds.map((userId, index) =>
        unlessBroken(() => this.#record(userId, settledValue(found[index]))),
      )
    })
  }

  /**
   * The record and the policy: in one trip where the store can, else in parallel.
   *
   * @param hint as the port's
   * @throws UnavailableError where either cannot be read, also when it is nonsense
   */
  async read(
    userId: string,
    hint = { atLogin: false },
  ): Promise<{ readonly record: SecondStepRecord; readonly policy: Policy }> {
    if (this.#store.read === undefined) {
      const [record, policy] = await Promise.all([this.find(userId), this.policy()])
      return { record, policy }
    }
    // Waited for once only: every request reads.
    if (!this.#isOpen) await this.open()
    return this.#withTimeout(async () => {
      const stored = await this.#store.read?.(userId, hint)
      const record = this.#record(userId, stored?.record)
      return { record, policy: this.#allowed(this.#policy(stored?.policy)) }
    })
  }

  /**
   * A page of a list, or null for a cursor that no page of it has given.
   *
   * @throws UnavailableError where the page cannot be read, also when it is nonsense
   */
  async list(query: RecordQuery): Promise<ReadPage | null> {
    await this.open()
    return this.#withTimeout(async () => {
      const page = await this.#store.list(query)
      if (page === null) return null
      const { records, damaged, lost } = readListed(page.records)
      return {
        records,
        damaged,
        lost: [...(page.lost ?? []), ...lost],
        lostLists: (page.lostLists ?? []).map(lostPart),
        next: page.next,
      }
    })
  }

  /**
   * The users on a page of a list, even if one of their records is malformed: only reading that
   * record fails.
   *
   * @throws UnavailableError where the page cannot be read, or says of a record not whose it is
   */
  async idsOf(query: RecordQuery): Promise<IdPage | null> {
    await this.open()
    return this.#withTimeout(async () => {
      const page = await this.#store.list(query)
      if (page === null) return null
      const lostLists = (page.lostLists ?? []).map(lostPart)
      return { ids: page.records.map(idOf), lostLists, next: page.next }
    })
  }

  /** @throws UnavailableError where the policy cannot be read, also when it is nonsense */
  async policy(): Promise<Policy> {
    return this.#allowed(await this.#storedPolicy())
  }

  /**
   * Decides on the record and writes the decision. Only then it announces the events, and then
   * answers. After a lost race it reads and decides again. After a time-out it does not try again,
   * because the write may have taken place: if it has, the events are announced later. Changes of one
   * record in this process take turns.
   *
   * @param known the record as this request has already read it; compare-and-set makes it safe
   * @param confirms false where an answer that changes nothing promises nothing, as a refusal does: it need not
   *   wait for replicas
   */
  async change<Answer>(
    userId: string,
    requestInfo: RequestInfo,
    decide: Change<Answer>['decide'],
    known?: SecondStepRecord,
    { confirms = true } = {},
  ): Promise<Answer> {
    return this.#turns.run(userId, async (newest, leave) => {
      const isNewer = known !== undefined && newest !== null && newest.version > known.version
      const first = isNewer ? newest : (known ?? (await this.find(userId)))
      return this.#changeFrom(first, { userId, requestInfo, decide, leave, confirms })
    })
  }

  async #changeFrom<Answer>(
    first: SecondStepRecord,
    { userId, requestInfo, decide, leave, confirms }: Change<Answer>,
  ): Promise<Answer> {
    let record = first
    const tries = new Tries(this.#system, this.#timeout)
    while (tries.begin()) {
      const now = this.#system.now()
      const decision = await decide(record, now)
      const next = noteLock(decision.record, this.#window, now)
      const sent = decision.record === record ? null : this.#following(next, record)
      const announcement = this.#announcer.prepare(userId, decision.events, requestInfo)
      if (sent === null) {
        if (confirms && !(await this.#isKept(record, (...same) => this.#store.write(...same)))) {
          record = await this.find(userId)
          continue
        }
        await this.#announcer.publish(announcement)
        return decision.answer
      }
      const claims: (SerialClaim | null)[] = []
      for (const { serial, next: nextCode } of tokensGone(record, sent)) {
        claims.push(await this.#claims.noteNext(serial, userId, nextCode))
      }
      const write = await this.#announcedWrites.prepare(sent, announcement)
      if (!(await this.#write(sent, write))) {
        record = await this.find(userId)
        // A client that sends a write again after a dropped connection loses against whoever came between.
        if (!isNamedBy(sent.writeId, record.writeId)) {
          void write.forget()
          continue
        }
        leave(record)
      } else leave(sent)
      // At once: each may wait for a store that hangs.
      const settling = Promise.all(claims.map((claim) => this.#claims.settle(claim)))
      await Promise.all([write.announce(), briefly(settling, this.#timeout)])
      return decision.answer
    }
    throw tries.refusal(PART, 'one record')
  }

  /**
   * As `change`, for the policy document.
   *
   * @param decide the very policy that came in where nothing changes; then nothing is written
   */
  async changePolicy<Answer>(
    requestInfo: RequestInfo,
    decide: (policy: Policy, now: number) => PolicyDecision<Answer>,
  ): Promise<Answer> {
    const tries = new Tries(this.#system, this.#timeout)
    while (tries.begin()) {
      const policy = await this.#storedPolicy()
      const decision = decide(policy, this.#system.now())
      const announcement = this.#announcer.prepare(null, decision.events, requestInfo)
      const sent = decision.policy === policy ? null : this.#following(decision.policy, policy)
      const tookPlace = sent !== null
      const announce = () => this.#announcer.publish(announcement, { tookPlace })
      const isAnnounced = announcement.entries.length > 0
      if (sent !== null && !(await this.#writePolicy(sent, { isAnnounced, announce }))) {
        const { writeId } = await this.#storedPolicy()
        if (!isNamedBy(sent.writeId, writeId)) continue
      }
      const write = (...same: [Policy, number]) => this.#store.writePolicy(...same)
      if (sent === null && !(await this.#isKept(policy, write))) continue
      await announce()
      return decision.answer
    }
    throw tries.refusal(PART, 'the policy')
  }

  /** Looks once for the writes whose end is not known. Never rejects. */
  lookForLateWrites(): Promise<void> {
    return this.#lateWrites.look()
  }

  /** Looks for them a last time. Resolves when what was found is announced. */
  settle(): Promise<void> {
    return this.#lateWrites.stop()
  }

  async #storedPolicy(): Promise<Policy> {
    await this.open()
    return this.#withTimeout(async () => this.#policy(await this.#store.findPolicy()))
  }

  async #findUnlessBroken(userId: string): Promise<SecondStepRecord | null> {
    try {
      return await this.find(userId)
    } catch (error) {
      if (error instanceof UnavailableError && error.cause instanceof BrokenRecordError) return null
      throw error
    }
  }

  #record(userId: string, stored: unknown): SecondStepRecord {
    const record = stored === null ? blankRecord(userId) : parseRecord(stored, userId)
    this.#lateWrites.seen(record)
    return record
  }

  #policy(stored: unknown): Policy {
    const policy = stored === null ? defaultPolicy : parsePolicy(stored)
    this.#lateWrites.seen(policy)
    this.#rules?.see(policy)
    return policy
  }

  /** Features that the host switched off at start-up stay off, whatever the document says. */
  #allowed(policy: Policy): Policy {
    return this.#backupCodes ? policy : { ...policy, backupCodes: false }
  }

  async #write(document: SecondStepRecord, write: AnnouncedWrite): Promise<boolean> {
    const read = () => this.find(document.userId)
    try {
      return await this.#written({ document, read, news: write }, () =>
        this.#watched(document.userId, () => write.send()),
      )
    } catch (error) {
      void write.forget()
      throw error
    }
  }

  #writePolicy(document: Policy, news: News): Promise<boolean> {
    const read = () => this.#storedPolicy()
    const write = () =>
      this.#watched(null, () => this.#store.writePolicy(document, document.version - 1))
    return this.#written({ document, read, news }, write)
  }

  #written(sent: SentWrite, write: () => Promise<boolean>): Promise<boolean> {
    return this.#lateWrites.run(sent, (confirm) =>
      this.#withTimeout(async () => {
        const written: unknown = await write()
        if (typeof written !== 'boolean') throw new Error('write answered neither true nor false')
        if (written) confirm()
        return written
      }),
    )
  }

  /**
   * Whether a document is still stored, and kept through a failover: the write that made it may have been refused
   * for want of replicas, and whoever repeats the change would be told that it is made.
   */
  async #isKept<Document extends Named>(
    document: Document,
    write: (same: Document, before: number) => Promise<boolean>,
  ): Promise<boolean> {
    const { version } = document
    if (version === 0 || this.#store.waitsForReplicas !== true) return true
    return this.#withTimeout(() => write(document, version - 1))
  }

  /** Until its very end, also where its request was refused long ago. */
  #watched(userId: string | null, write: () => Promise<boolean>): Promise<boolean> {
    return this.#watcher === null ? write() : watched(this.#watcher, userId, write)
  }

  /** The document as the write after the version `before`, under a name of its own. */
  #following<Document extends object>(document: Document, before: Named) {
    const own = Buffer.from(this.#system.random(12)).toString('base64url')
    return { ...document, version: before.version + 1, writeId: nameWrite(own, before.writeId) }
  }

  #withTimeout<T>(call: () => Promise<T>): Promise<T> {
    return withTimeout(PART, call, this.#timeout)
  }
}

async function watched(
  watcher: WriteWatcher,
  userId: string | null,
  write: () => Promise<boolean>,
): Promise<boolean> {
  let hasChanged = true
  watcher.begun(userId)
  try {
    hasChanged = await write()
    return hasChanged
  } finally {
    watcher.over(userId, hasChanged)
  }
}

/** @throws what the store rejects with for this user */
function settledValue(found: PromiseSettledResult<unknown> | undefined): unknown {
  if (found?.status === 'fulfilled') return found.value
  throw found?.status === 'rejected' ? found.reason : new Error('findMany answered nonsense')
}

function lostPart(name: string): string {
  return `the list ${name} is lost, and who is in it is unknown: run \`npx passport-second-step repair\``
}

function unlessBroken<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof BrokenRecordError) return null
    throw error
  }
}

/**
 * One record that cannot be read must not hide the others.
 *
 * @throws Error where the store has given no list: a text would be read letter by letter
 */
function readListed(stored: unknown): Pick<ReadPage, 'records' | 'damaged' | 'lost'> {
  if (!Array.isArray(stored)) throw new Error('the records of a page are no list')
  const records: SecondStepRecord[] = []
  const damaged: string[] = []
  const lost: string[] = []
  for (const one of stored) {
    const id = ownerOf(one)
    if (id === null) {
      lost.push('one that does not say whose it is')
      continue
    }
    try {
      records.push(parseRecord(one, id))
    } catch (error) {
      if (!(error instanceof BrokenRecordError)) throw error
      damaged.push(id)
    }
  }
  return { records, damaged, lost }
}

/** @throws Error for a record that does not say whose it is */
function idOf(stored: unknown): string {
  const id = ownerOf(stored)
  if (id !== null) return id
  throw new Error('a listed record has no user id')
}

function ownerOf(stored: unknown): string | null {
  const id: unknown = Reflect.get(Object(stored), 'userId')
  return typeof id === 'string' && id !== '' ? id : null
}
