import { tokenBySerial } from '../domain/assigned-token.js'
import { isGroup, type UserFilter } from '../domain/groups.js'
import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { RecordList } from '../domain/record-list.js'
import type { KeyIds } from '../factors/key-status.js'
import type { Account, Accounts, LookedUp } from './accounts.js'
import { type ListedMember, type Member, memberOf, passes, unreadableMember } from './member.js'
import { isOdd, type OddUser } from './odd-user.js'
import type { Records } from './records.js'
import type { SerialNumbers } from './serial-numbers.js'

/** The source of a page of users: the host's own list, or a list of the records. */
export type Source = 'users' | RecordList

/** The start of a page: `cursor` is the source's own, null at its beginning. */
export interface PageStart {
  readonly source: Source
  readonly cursor: string | null
  /** How many of the host's users a filter was asked of so far. Missing: there is no such filter. */
  readonly looked?: number
}

/** The query for users. */
export interface MemberQuery {
  /** The text to search for; a whole id if the host has no list. Empty: everybody. */
  readonly search: string
  readonly state: UserFilter | null
  /** `next` of the page before; null: the first page. */
  readonly from: PageStart | null
  /** 1 to 100 */
  readonly limit: number
}

/** Members of a query; may be fewer than the limit, even none, while `next` says there are more. */
export interface MemberPage {
  readonly members: readonly ListedMember[]
  /** Lost records, in the store's words. Their users are unknown. */
  readonly lost: readonly string[]
  /** What is missing because a part of the list is lost, one sentence each. */
  readonly lostLists: readonly string[]
  /** Users whom the app describes wrongly. Those without an id are not among the members. */
  readonly odd: readonly OddUser[]
  readonly next: PageStart | null
}

/** A page of one source. */
interface Fetched {
  readonly members: readonly ListedMember[]
  readonly lost: readonly string[]
  readonly lostLists: readonly string[]
  readonly odd: readonly OddUser[]
  readonly next: string | null
}

export interface DirectoryParts<U> {
  readonly accounts: Accounts<U>
  /** The host's id of a user of the records, or null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  /** The id in the records, or null for what is no id. */
  readonly recordIdOf: (hostId: string) => string | null
  readonly records: Records
  readonly serials: Pick<SerialNumbers, 'claimantOf'>
  readonly keyIds: KeyIds
  readonly window: number
  readonly now: () => number
}

/** Limits how many pages of its sources one page reads. */
const SOURCE_PAGES_AT_MOST = 5
/** The same, while a filter has left the page less than half full: then it is short, or even empty. */
const FILTERED_PAGES_AT_MOST = 50
/** For how long it goes on so, in milliseconds. */
const FILTERED_TIME = 1000

/** Finds the host's users, each with their second step. */
export class Directory<U> {
  readonly #parts: DirectoryParts<U>

  constructor(parts: DirectoryParts<U>) {
    this.#parts = parts
  }

  /** Whether the host can be searched by name. */
  get searchable(): boolean {
    return this.#parts.accounts.searchable
  }

  /** @returns null where the host has no such user */
  async find(hostId: string): Promise<Member<U> | OddUser | null> {
    const { recordIdOf, records } = this.#parts
    const id = recordIdOf(hostId)
    const account = id === null ? null : await this.#accountOf(id)
    if (account === null || isOdd(account)) return account
    const { record, policy } = await records.read(account.id)
    return this.#member(account, policy, record)
  }

  /**
   * @param policy as the request has read it
   * @returns the user who has the hardware token with this serial number, or null. Where the record of
   *   whom it was given to last is unreadable, nobody knows: it is them, as unreadable.
   */
  async findBySerial(serial: string, policy: Policy): Promise<ListedMember | OddUser | null> {
    const recordId = await this.#parts.serials.claimantOf(serial)
    return recordId === null
      ? null
      : this.#one(recordId, policy, (record) => tokenBySerial(record, serial) !== null)
  }

  /**
   * A search that is a serial number or an id finds its user first.
   *
   * @param policy as the request has read it
   * @returns null for a start that no page of the query has given
   */
  async page(query: MemberQuery, policy: Policy): Promise<MemberPage | null> {
    const { search, state, limit } = query
    if (search !== '' && !this.searchable) return this.#byId(query, policy)
    const sources = this.#sources(query)
    const [first] = sources
    if (query.from !== null && !sources.includes(query.from.source)) return null
    const holder = await this.#holders(query, policy)
    const held = holder.members.filter((one) => this.#passes(state, one)).slice(0, limit)
    const isFirst = query.from === null
    const members: ListedMember[] = isFirst ? [...held] : []
    const lost: string[] = []
    const lostLists: string[] = []
    const odd: OddUser[] = isFirst ? [...holder.odd] : []
    let start: PageStart | null = query.from ?? { source: first, cursor: null }
    let looked = start.looked ?? 0
    const until = this.#parts.now() + FILTERED_TIME
    const looksOn = (pages: number) =>
      pages < SOURCE_PAGES_AT_MOST ||
      (pages < FILTERED_PAGES_AT_MOST && members.length < limit / 2 && this.#parts.now() < until)
    for (let pages = 0; looksOn(pages); pages += 1) {
      if (start === null || members.length >= limit) break
      const found = await this.#fetch(start, search, limit - members.length, policy)
      if (found === null) return null
      // For an unreadable record, only the list that names it tells the user's state.
      const listed = start.source !== 'users' && (state === null || !isGroup(state))
      const right = (one: ListedMember) =>
        this.#passes(state, one) || (listed && one.unreadable !== undefined)
      const others = found.members.filter(
        (one) => !held.some(({ hostId }) => hostId === one.hostId),
      )
      members.push(...others.filter(right))
      lost.push(...found.lost)
      lostLists.push(...found.lostLists)
      odd.push(...found.odd)
      looked += found.members.length
      start = found.next === null ? after(start.source, sources) : { ...start, cursor: found.next }
    }
    const isFiltered = state !== null && (start?.source === 'users' || isGroup(state))
    const next = start !== null && isFiltered ? { ...start, looked } : start
    return { members, lost, lostLists, odd, next }
  }

  /**
   * The sources for a filter. The records list users who are on, paused or locked. Only the host's
   * users show who is off or must set up. A pause that the policy overrides does not count, so a
   * user who is on may be listed as paused.
   */
  #sources({ search, state }: MemberQuery): readonly [Source, ...Source[]] {
    if (search !== '') return ['users']
    if (state === 'on') return ['on', 'paused']
    if (state === 'paused' || state === 'locked') return [state]
    if (state === 'few-backup-codes' || state === 'unsaved-backup-codes') return ['enrolled']
    if (this.searchable) return ['users']
    return state === null ? ['enrolled'] : ['all']
  }

  /** The first page begins with them, and no later one repeats them. */
  async #holders({ search }: Pick<MemberQuery, 'search'>, policy: Policy) {
    if (search === '') return this.#sorted([])
    const [named, holder] = await Promise.all([
      this.searchable ? this.#named(search, policy) : null,
      this.findBySerial(search, policy),
    ])
    const isSame = named !== null && holder !== null && idOf(named) === idOf(holder)
    return this.#sorted([holder, isSame ? null : named].filter((one) => one !== null))
  }

  /** The user of this id. A host may throw for a word that cannot be one of its ids. */
  async #named(search: string, policy: Policy): Promise<ListedMember | OddUser | null> {
    const id = this.#parts.recordIdOf(search)
    return id === null ? null : this.#one(id, policy).catch(() => null)
  }

  async #byId({ search, state, from }: MemberQuery, policy: Policy): Promise<MemberPage | null> {
    if (from !== null) return null
    const id = this.#parts.recordIdOf(search)
    const found = id === null ? null : await this.#one(id, policy)
    const named = this.#sorted(found === null ? [] : [found])
    const { members, odd } =
      named.members.length > 0 ? named : await this.#holders({ search }, policy)
    const right = members.filter((one) => this.#passes(state, one))
    return { members: right, lost: [], lostLists: [], odd, next: null }
  }

  #passes(filter: UserFilter | null, one: ListedMember): boolean {
    const { keyIds, now } = this.#parts
    return filter === null || passes(filter, one, { keyIds, now: now() })
  }

  async #fetch(start: PageStart, search: string, limit: number, policy: Policy) {
    const { source, cursor } = start
    return source === 'users'
      ? this.#fetchUsers({ search, cursor, limit }, policy)
      : this.#fetchRecords({ list: source, cursor, limit, now: this.#parts.now() }, policy)
  }

  async #fetchUsers(
    query: { search: string; cursor: string | null; limit: number },
    policy: Policy,
  ): Promise<Fetched | null> {
    const page = await this.#parts.accounts.list(query)
    if (page === null) return null
    const ids: string[] = []
    for (const one of page.accounts) if (!isOdd(one)) ids.push(one.id)
    const records = await this.#parts.records.findMany(ids)
    let nth = -1
    const found = page.accounts.map((one) => {
      if (isOdd(one)) return one
      nth += 1
      return this.#listed(one, policy, records[nth] ?? null)
    })
    return { ...this.#sorted(found), lost: [], lostLists: [], next: page.next }
  }

  async #fetchRecords(
    query: Parameters<Records['list']>[0],
    policy: Policy,
  ): Promise<Fetched | null> {
    const page = await this.#parts.records.list(query)
    if (page === null) return null
    const { records, damaged, lost, lostLists, next } = page
    const ids = [...records.map(({ userId }) => userId), ...damaged]
    const lookedUp = await this.#parts.accounts.lookUpAll(ids)
    const found: (ListedMember | OddUser)[] = []
    for (const [at, one] of lookedUp.entries()) {
      const account = accountIn(one)
      if (account === null) continue
      // The damaged ones come after the records.
      found.push(isOdd(account) ? account : this.#listed(account, policy, records[at] ?? null))
    }
    return { ...this.#sorted(found), lost, lostLists, next }
  }

  /** As in a list, where they are right. An unreadable record may be. */
  async #one(
    recordId: string,
    policy: Policy,
    isRight: (record: SecondStepRecord) => boolean = () => true,
  ): Promise<ListedMember | OddUser | null> {
    const account = await this.#accountOf(recordId)
    if (account === null || isOdd(account)) return account
    const [record = null] = await this.#parts.records.findMany([account.id])
    return record === null || isRight(record) ? this.#listed(account, policy, record) : null
  }

  async #accountOf(recordId: string): Promise<Account<U> | OddUser | null> {
    return accountIn(await this.#parts.accounts.lookUp(recordId))
  }

  /**
   * One unreadable record must not hide the other users. It counts as on and broken, never as off.
   */
  #listed(account: Account<U>, policy: Policy, record: SecondStepRecord | null): ListedMember {
    return record === null
      ? unreadableMember(account, this.#hostId(account.id), 'record')
      : this.#member(account, policy, record)
  }

  #member(account: Account<U>, policy: Policy, record: SecondStepRecord): Member<U> {
    const { keyIds, window, now } = this.#parts
    const hostId = this.#hostId(account.id)
    return memberOf(account, hostId, { record, policy }, { keyIds, window, at: now() })
  }

  /** Lists every user who has an id, even if nothing else about them is readable. */
  #sorted(found: readonly (ListedMember | OddUser)[]): Pick<Fetched, 'members' | 'odd'> {
    const members: ListedMember[] = []
    const odd: OddUser[] = []
    for (const one of found) {
      if (isOdd(one)) {
        odd.push(one)
        const { id, name } = one
        if (id === null) continue
        members.push(unreadableMember({ id, name, email: null }, this.#hostId(id), 'user'))
      } else {
        members.push(one)
      }
    }
    return { members, odd }
  }

  #hostId(recordId: string): string {
    return this.#parts.hostIdOf(recordId) ?? recordId
  }
}

/** Null for users of another realm, and for users who are gone from the host. */
function accountIn<U>(found: LookedUp<U>): Account<U> | OddUser | null {
  if (found.kind === 'odd') return found.odd
  return found.kind === 'found' ? found.account : null
}

function idOf(one: ListedMember | OddUser): string | null {
  return isOdd(one) ? one.id : one.account.id
}

function after(source: Source, sources: readonly Source[]): PageStart | null {
  const next = sources[sources.indexOf(source) + 1]
  return next === undefined ? null : { source: next, cursor: null }
}
