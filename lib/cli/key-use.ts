import { openMailReset } from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import { placeOfBackupCodes } from '../factors/backup-codes/kept.js'
import { type KeyIds, type KeyStatus, keyStatusOf } from '../factors/key-status.js'
import { isOpen } from '../factors/one-time-codes/kept.js'

const NAMED_AT_MOST = 20

/** A kind of thing that works with one key only. */
type Need = 'secrets' | 'backupCodes' | 'oneTimeCodes' | 'mailResets' | 'trustedBrowsers'

/** Everything that depends on one key. */
export interface UsedKey {
  /** The key's id, as sealed secrets name it. Null: version 0.1.0 did not record it. */
  readonly id: string | null
  readonly place: KeyStatus
  /** The number of users who have such a thing under this key. */
  readonly secrets: number
  readonly backupCodes: number
  readonly oneTimeCodes: number
  readonly mailResets: number
  readonly trustedBrowsers: number
  /** The ids of these users. Null for the current key. */
  readonly users: readonly string[] | null
}

interface Needs {
  readonly counts: Record<Need, number>
  readonly users: Set<string>
}

/**
 * Counts what depends on each key of the ring, so that the operator sees when a key can be removed.
 */
export class KeyUse {
  readonly #keyIds: KeyIds
  readonly #found = new Map<string | null, Needs>()

  constructor(keyIds: KeyIds) {
    this.#keyIds = keyIds
    for (const id of keyIds) this.#needsOf(id)
  }

  /** @param sealedUnder ids of the keys that the record's secrets are sealed under */
  add(record: SecondStepRecord, sealedUnder: readonly string[], now: number): void {
    const { userId, backupCodes, oneTimeCodes, trustedBrowsers } = record
    const unused = placeOfBackupCodes(backupCodes, this.#keyIds) !== null
    const open = oneTimeCodes.filter((code) => isOpen(code, now))
    const reset = openMailReset(record, now)
    const trusted = trustedBrowsers.filter(({ expiresAt }) => now < expiresAt)
    this.#add(userId, 'secrets', sealedUnder)
    this.#add(userId, 'backupCodes', unused ? [backupCodes?.keyId ?? null] : [])
    this.#add(
      userId,
      'oneTimeCodes',
      open.map(({ keyId }) => keyId),
    )
    this.#add(userId, 'mailResets', reset === null ? [] : [reset.keyId])
    this.#add(
      userId,
      'trustedBrowsers',
      trusted.map(({ keyId }) => keyId),
    )
  }

  /** In order: the keys of the ring, then keys that are gone, then unknown keys. */
  keys(): readonly UsedKey[] {
    const order: readonly KeyStatus[] = ['current', 'older', 'gone', 'unknown']
    const keys = [...this.#found].map(([id, needs]) => this.#usedKey(id, needs))
    return keys.sort((one, other) => order.indexOf(one.place) - order.indexOf(other.place))
  }

  /**
   * Advice to the operator, one sentence each. Empty if the ring is one key and everything is under
   * it.
   *
   * @param whole whether every record could be read
   */
  sentences(whole: boolean): readonly string[] {
    const keys = this.keys()
    const certain = whole && keys.every(({ place }) => place !== 'unknown')
    return keys.flatMap((key) => {
      const name = `keys[${this.#keyIds.indexOf(key.id ?? '')}] (${key.id})`
      if (key.place === 'older') return `${name}: ${aboutOlder(key, certain)}`
      if (key.place === 'gone') return `Key ${key.id} is not in keys, and ${dead(key)}`
      return key.place === 'unknown'
        ? `Version 0.1.0 made ${needsOf(key)}, and did not note the key: ${named(key)}.`
        : []
    })
  }

  #usedKey(id: string | null, { counts, users }: Needs): UsedKey {
    const place = keyStatusOf(id, this.#keyIds)
    return { id, place, ...counts, users: place === 'current' ? null : [...users].sort() }
  }

  #add(userId: string, need: Need, keyIds: readonly (string | null)[]): void {
    for (const id of new Set(keyIds)) {
      const { counts, users } = this.#needsOf(id)
      counts[need] += 1
      // For the current key nobody needs the users, and the list could be everybody.
      if (id !== this.#keyIds[0]) users.add(userId)
    }
  }

  #needsOf(id: string | null): Needs {
    const counts = {
      secrets: 0,
      backupCodes: 0,
      oneTimeCodes: 0,
      mailResets: 0,
      trustedBrowsers: 0,
    }
    const needs = this.#found.get(id) ?? { counts, users: new Set() }
    this.#found.set(id, needs)
    return needs
  }
}

function aboutOlder(key: UsedKey, certain: boolean): string {
  if (key.users?.length === 0) {
    return certain
      ? 'no record needs it any more; it may leave the ring. Sessions that began under it end: users with a second step sign in again.'
      : 'nothing is known to need it, but not all is known.'
  }
  return `still needed by ${needsOf(key)}; ${fixOf(key)}. Users: ${named(key)}.`
}

function fixOf({ secrets, backupCodes, oneTimeCodes, mailResets }: UsedKey): string {
  if (secrets > 0) return 'run "reseal"'
  return backupCodes + oneTimeCodes + mailResets > 0
    ? 'keep it until they have new ones'
    : 'keep it until each has signed in again; without it they are asked for the second step once'
}

function dead(key: UsedKey): string {
  return `${needsOf(key)} no longer work: ${named(key)}.`
}

function needsOf(key: UsedKey): string {
  const parts = [
    [key.secrets, 'the secrets'],
    [key.backupCodes, 'the backup codes'],
    [key.oneTimeCodes, 'the one-time codes'],
    [key.mailResets, 'the resets by mail'],
    [key.trustedBrowsers, 'the trusted browsers'],
  ] as const
  return parts
    .flatMap(([count, what]) => (count === 0 ? [] : `${what} of ${usersOf(count)}`))
    .join(', ')
}

function usersOf(count: number): string {
  return count === 1 ? '1 user' : `${count} users`
}

function named({ users }: UsedKey): string {
  const all = users ?? []
  const some = all
    .slice(0, NAMED_AT_MOST)
    .map((id) => JSON.stringify(id))
    .join(', ')
  const rest = all.length - NAMED_AT_MOST
  return rest > 0 ? `${some} and ${rest} more (--json names all)` : some
}
