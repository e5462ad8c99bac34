import { createHash } from 'node:crypto'
import { attemptCaps } from '../../lib/domain/attempts.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { DAY_MS, HOUR_MS } from '../../lib/domain/units.js'
import type { BackupCodeSet } from '../../lib/factors/backup-codes/kept.js'
import { makeBackupCodes } from '../../lib/factors/backup-codes/make.js'
import type { Authenticator } from '../../lib/factors/factors.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import type { Random } from '../fleet/random.js'
import type { DemoPerson } from './people.js'

const PARAMETERS = { algorithm: 'sha1', digits: 6, period: 30 } as const

/** With one app, as everybody has who is locked. */
const CODES_AT_ONCE = 3

export interface RecordMaker {
  /** Null: nothing was ever written about them. */
  recordOf(person: DemoPerson): Promise<SecondStepRecord | null>
  /** Ten codes that work, for a record that was made. */
  withCodes(record: SecondStepRecord): Promise<{
    readonly record: SecondStepRecord
    readonly codes: readonly string[]
  }>
}

/** The key for `createSecondStep`: the same seed gives the same. */
export function keyOf(seed: number): string {
  return createHash('sha256').update(`demo ${seed}`).digest('base64')
}

/** The key of somebody's app. */
export function secretOf(key: string, userId: string): Uint8Array {
  return createHash('sha1').update(`${key}:${userId}`).digest()
}

/** Makes records as those would be who have used the second step for a while. */
export function recordMaker(key: string, random: Random, now: number): RecordMaker {
  const { sealer, digester } = keyRing([key])
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256))
  const text = (length: number) => Buffer.from(bytes(length)).toString('base64url')

  async function authenticatorOf(
    type: Authenticator['type'],
    userId: string,
    since: number,
  ): Promise<Authenticator> {
    const lastUsedAt = Math.max(since, now - random.below(40) * DAY_MS - random.below(DAY_MS))
    const bound = { id: text(6), name: null, since, lastUsedAt, serial: null }
    if (type === 'webauthn') {
      return {
        ...bound,
        type,
        name: random.pick(['YubiKey', 'Work laptop', 'Blue key', 'Pixel']),
        ...{ credentialId: text(32), publicKey: text(77), counter: random.below(500) },
        ...{ transports: ['usb'], backupEligible: false, backedUp: false },
        ...{ rpId: 'localhost', handle: text(32), suspendedAt: null },
      }
    }
    const secret = await sealer.seal(secretOf(key, userId), { purpose: 'authenticator', userId })
    if (type === 'totp') return { ...bound, ...PARAMETERS, type, lastStep: -1, offset: 0, secret }
    const serial = `FT-${100_000 + random.below(900_000)}`
    const { algorithm, digits } = PARAMETERS
    return { ...bound, type, serial, algorithm, digits, secret, counter: 40, farMisses: [] }
  }

  /** Nobody has its codes: no digest is of any. */
  function codesOf(standing: DemoPerson['standing'], createdAt: number): BackupCodeSet {
    const left = standing === 'few-codes' ? random.below(4) : random.between(5, 10)
    const codes = Array.from({ length: 10 }, (_, nth) => ({
      digest: text(32),
      usedAt: nth < left ? null : createdAt + DAY_MS,
    }))
    const saved = standing !== 'unsaved-codes'
    const keyId = digester.keyIds[0]
    return { id: text(6), keyId, codes, createdAt, saved, seenByAdmin: false }
  }

  async function enrolled({ user, standing }: DemoPerson): Promise<SecondStepRecord> {
    const share = random.happens(0.25) ? random.below(30) : random.below(900)
    const since = Math.max(user.createdAt, now - share * DAY_MS - random.below(DAY_MS))
    const drawn = typesOf(random.next())
    const types = standing === 'locked' || user.id.startsWith('demo-') ? (['totp'] as const) : drawn
    const authenticators = await Promise.all(
      types.map((type) => authenticatorOf(type, user.id, since)),
    )
    const backupCodes = codesOf(standing, since)
    const plain = { ...blankRecord(user.id), version: 1, writeId: text(12), epoch: 1 }
    return { ...plain, authenticators, backupCodes, ...stateOf(standing) }
  }

  function stateOf(standing: DemoPerson['standing']): Partial<SecondStepRecord> {
    if (standing === 'paused') {
      const pausedFrom = now - random.below(5) * DAY_MS
      return { pausedFrom, pausedUntil: now + random.between(1, 25) * DAY_MS }
    }
    if (standing === 'paused-for-ever') return { pausedUntil: Number.MAX_SAFE_INTEGER }
    if (standing !== 'locked') return {}
    const { day } = attemptCaps(CODES_AT_ONCE)
    const last = now - random.between(1, 12) * HOUR_MS
    const misses = Array.from({ length: day }, (_, nth) => last - (day - nth) * 1000)
    return {
      attempts: { misses, consecutive: day },
      lockedUntil: (misses[0] ?? last) + DAY_MS,
    }
  }

  return {
    async recordOf(person) {
      const { user, standing } = person
      if (standing === 'never') return null
      if (standing !== 'reset') return enrolled(person)
      const until = now + (random.happens(0.3) ? -random.below(20) : random.between(1, 6)) * DAY_MS
      const blank = { ...blankRecord(user.id), version: 2, writeId: text(12), epoch: 2 }
      return { ...blank, mustSetUp: { until } }
    },
    async withCodes(record) {
      const { userId } = record
      const { set, codes } = await makeBackupCodes(bytes, now - 90 * DAY_MS, {
        keyIds: digester.keyIds,
        digests: (code, context) => digester.digests(code, { ...context, userId }),
      })
      return { record: { ...record, backupCodes: { ...set, saved: true } }, codes }
    },
  }
}

function typesOf(drawn: number): readonly Authenticator['type'][] {
  if (drawn < 0.78) return ['totp']
  if (drawn < 0.86) return ['webauthn']
  return drawn < 0.94 ? ['totp', 'webauthn'] : ['hotp']
}
