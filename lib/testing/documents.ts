import { randomUUID } from 'node:crypto'
import { defaultPolicy, type Policy } from '../domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../domain/record.js'
import type { TokenClaim } from '../domain/serial-claim.js'
import type { RecordStore } from '../ports/record-store.js'

/** 32 of them, by chance. */
export function hexDigits(): string {
  return randomUUID().replaceAll('-', '')
}

/** A kind of document and how a store keeps it, so that one case serves records and the policy. */
export interface Kind<Document extends { readonly version: number; readonly writeId: string }> {
  readonly name: string
  /** A document that nobody has written yet; frozen, since a store must not change what it gets. */
  make(version: number): Document
  find(store: RecordStore): Promise<Document | null>
  write(store: RecordStore, document: Document, expectedVersion: number): Promise<boolean>
}

export const aRecord: Kind<SecondStepRecord> = {
  name: 'a record',
  make: (version) => enrolledRecord('user-1', version),
  find: (store) => store.find('user-1'),
  write: (store, record, expectedVersion) => store.write(record, expectedVersion),
}

export const thePolicy: Kind<Policy> = {
  name: 'the policy',
  make: (version) =>
    Object.freeze({ ...defaultPolicy, mode: 'required', version, writeId: randomUUID() }),
  find: (store) => store.findPolicy(),
  write: (store, policy, expectedVersion) => store.writePolicy(policy, expectedVersion),
}

/** Its cases are for stores that hold hardware tokens. */
export const aSerial: Kind<TokenClaim> = {
  name: 'a serial number',
  make: (version) => serialClaim('A-1 "B"', version),
  find: async (store) => (await store.findSerial?.('A-1 "B"')) ?? null,
  write: async (store, claim, expectedVersion) =>
    (await store.writeSerial?.(claim, expectedVersion)) ?? false,
}

/** A claim that nobody has written yet. */
export function serialClaim(serial: string, version: number): TokenClaim {
  const userId = 'user-\u{1f511}'
  const claimedAt = 1_750_000_000_123
  return Object.freeze({
    ...{ serial, version, writeId: randomUUID(), userId },
    ...{ claimedAt, isSettled: version % 2 === 0, keyName: 'key-\u{1f511}' },
  })
}

/** A record of every kind of value: null, empty lists, large numbers, text beyond ASCII. */
export function enrolledRecord(userId: string, version: number): SecondStepRecord {
  return deepFreeze({
    ...blankRecord(userId),
    version,
    writeId: randomUUID(),
    epoch: 3,
    authenticators: [
      {
        id: 'authenticator-1',
        type: 'totp',
        name: null,
        since: 1_750_000_000_123,
        lastUsedAt: null,
        serial: null,
        algorithm: 'sha1',
        digits: 6,
        period: 30,
        secret: 'v1.sealed-"quoted"-\\-é-\u{1f511}',
        lastStep: 58_000_000,
        offset: -1,
      },
    ],
    backupCodes: {
      id: 'set-1',
      keyId: 'a-key',
      codes: [
        { digest: 'first', usedAt: null },
        { digest: 'second', usedAt: 1_750_000_000_456 },
      ],
      createdAt: 1_750_000_000_000,
      saved: false,
      seenByAdmin: false,
    },
    attempts: { misses: [], consecutive: 0 },
  } satisfies SecondStepRecord)
}

/** As large as a record gets: five devices, 100 misses, 50 ended stamps, codes of admins, a reset by mail. */
export function largeRecord(userId: string): SecondStepRecord {
  const times = (count: number) => Array.from({ length: count }, (_, at) => 1_750_000_000_000 + at)
  const enrolled = enrolledRecord(userId, 1)
  const devices = times(5).map((since, at) => ({
    ...{ id: randomUUID(), name: '\u{1f511}'.repeat(40), serial: at === 0 ? 'A'.repeat(64) : null },
    since,
  }))
  return deepFreeze({
    ...enrolled,
    authenticators: enrolled.authenticators.flatMap((one) =>
      one.type === 'totp' ? devices.map((device) => ({ ...one, ...device })) : [],
    ),
    attempts: { misses: times(100), consecutive: 100 },
    ended: times(50).map((_, version) => ({ id: randomUUID(), version })),
    endedUpTo: 1,
    endedLogins: times(20).map((until) => ({ id: randomUUID(), until })),
    oneTimeCodes: times(20).map((expiresAt) => ({
      ...{ id: randomUUID(), keyId: null, digest: 'd'.repeat(43) },
      ...{ expiresAt, usedAt: null },
    })),
    setupGrant: { owner: randomUUID(), until: 1_750_000_000_000 },
    mailReset: {
      id: randomUUID(),
      keyId: 'a-key',
      addressDigest: 'a'.repeat(43),
      digests: ['d'.repeat(43), 'e'.repeat(43)],
      askedAt: 1_750_000_000_000,
      usableAt: 1_750_000_000_001,
      expiresAt: 1_750_000_000_002,
      readyTold: true,
      ip: '2001:db8::1',
      userAgent: '\u{1f511}'.repeat(256),
    },
  } satisfies SecondStepRecord)
}

/** The record as another write would leave it. */
export function nextVersion(
  record: SecondStepRecord,
  parts: Partial<SecondStepRecord>,
): SecondStepRecord {
  return deepFreeze({ ...record, ...parts, version: record.version + 1, writeId: randomUUID() })
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
