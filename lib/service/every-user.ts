import type { SecondStepRecord } from '../domain/record.js'
import { UnavailableError } from '../errors/unavailable-error.js'
import type { Account, Accounts } from './accounts.js'
import { isOdd } from './odd-user.js'
import { noCircle } from './page-by-page.js'
import type { Records } from './records.js'

/** How many users a page has. */
export const PAGE = 100

/** Where the users are found. */
export interface UserSources {
  readonly accounts: Pick<Accounts<unknown>, 'searchable' | 'list' | 'lookUpAll'>
  readonly records: Pick<Records, 'list' | 'findMany'>
  readonly now: () => number
  /** Resolves when the next page may be read. Default: at once. */
  readonly pause?: () => Promise<unknown>
}

/** Some of the users, each with their record. */
export interface SomeUsers {
  readonly users: readonly { readonly account: Account; readonly record: SecondStepRecord }[]
  /** Others, of whom something cannot be read. */
  readonly unreadable: number
}

/**
 * All users of the host, page by page. If the host has no list, those about whom a record was ever written.
 *
 * @throws UnavailableError where a page cannot be read
 */
export function everyUser(sources: UserSources): AsyncGenerator<SomeUsers> {
  const read = (cursor: string | null) =>
    sources.accounts.searchable ? ofHost(sources, cursor) : ofRecords(sources, cursor)
  return everyPage(read, sources.pause)
}

/**
 * All pages of a list of users.
 *
 * @throws UnavailableError where a page cannot be read
 */
export async function* everyPage<Page extends { readonly next: string | null }>(
  read: (cursor: string | null) => Promise<Page | null>,
  pause: () => Promise<unknown> = () => new Promise((resolve) => setImmediate(resolve)),
): AsyncGenerator<Page> {
  let cursor: string | null = null
  // Nobody may be waiting who would give up.
  const pass = noCircle(
    () => new UnavailableError('the list of users', new Error('it goes in a circle')),
  )
  do {
    const page: Page | null = await read(cursor)
    if (page === null) throw new UnavailableError('the list of users', new Error('unknown cursor'))
    yield page
    cursor = pass(page.next)
    // A store in memory answers at once: other requests must not wait for all pages.
    if (cursor !== null) await pause()
  } while (cursor !== null)
}

async function ofHost({ accounts, records }: UserSources, cursor: string | null) {
  const page = await accounts.list({ search: '', cursor, limit: PAGE })
  if (page === null) return null
  const found = page.accounts.filter((one): one is Account => !isOdd(one))
  const theirs = await records.findMany(found.map(({ id }) => id))
  const users = found.flatMap((account, at) => {
    const record = theirs[at] ?? null
    return record === null ? [] : [{ account, record }]
  })
  return { users, unreadable: page.accounts.length - users.length, next: page.next }
}

async function ofRecords({ accounts, records, now }: UserSources, cursor: string | null) {
  const page = await records.list({ list: 'all', cursor, limit: PAGE, now: now() })
  if (page === null) return null
  const lookedUp = await accounts.lookUpAll(page.records.map(({ userId }) => userId))
  const users = page.records.flatMap((record, at) => {
    const found = lookedUp[at]
    return found?.kind === 'found' ? [{ account: found.account, record }] : []
  })
  const odd = lookedUp.filter(({ kind }) => kind === 'odd').length
  return { users, unreadable: odd + page.damaged.length + page.lost.length, next: page.next }
}
