// The attack: a record that was damaged, cut off or written over in part reads as another state of
// the account, or as "not enrolled".

import { expect } from 'chai'
import fc from 'fast-check'
import { withCodes } from '../../lib/domain/authenticators.js'
import { isBase64url } from '../../lib/domain/bytes.js'
import { BrokenRecordError, parseRecord } from '../../lib/domain/parse-record.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import {
  decodeRecord,
  encodeNamedRecord,
  encodeRecord,
  isEncoded,
  nameBytes,
} from '../../lib/domain/record-bytes.js'
import { TRANSPORTS } from '../../lib/factors/webauthn/kept.js'
import { enrolledRecord, largeRecord } from '../../lib/testing/documents.js'

const BASE64URL = /^[\w-]*$/
const base64url = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((raw) => Buffer.from(raw).toString('base64url'))

/** What strings of a record are like, and what they never are. */
const string = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  base64url(12),
  base64url(16),
  fc.stringMatching(/^[\w-]{0,70}$/),
  fc.array(base64url(6), { maxLength: 8 }).map((names) => ['AAAAAAAAAAAAAAAA', ...names].join('.')),
  fc.stringMatching(/^[\w.-]{0,40}$/),
  fc.constantFrom(
    '',
    '.',
    '..',
    'a.',
    '__proto__',
    'ann@acme.example',
    '42',
    '\ud800',
    'a\udc00.b',
  ),
)
const time = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER),
)
const count = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat())
const orNull = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null })
const sealed = fc
  .tuple(base64url(6), base64url(12), fc.oneof(base64url(36), base64url(3), base64url(48)))
  .map((parts) => ['v1', ...parts].join('.'))
const keyId = orNull(fc.oneof(base64url(6), fc.constant('AAAAAAAA'), string))
const keyAndCode = {
  algorithm: fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const),
  digits: fc.constantFrom(6 as const, 7 as const, 8 as const),
  secret: fc.oneof(
    sealed,
    sealed.map((text) => text.slice(0, -1)),
    string,
  ),
}
const totp = {
  ...keyAndCode,
  type: fc.constant('totp' as const),
  period: fc.oneof(fc.constantFrom(30, 60), fc.integer({ min: 1, max: 1e9 })),
}
const hotp = { ...keyAndCode, type: fc.constant('hotp' as const) }
const bound = {
  id: string,
  name: orNull(string),
  since: time,
  lastUsedAt: orNull(time),
  serial: orNull(string),
}
const publicBytes = fc.integer({ min: 1, max: 90 }).chain(base64url)
const transports = fc.subarray([...TRANSPORTS])
const key = {
  type: fc.constant('webauthn' as const),
  rpId: string,
  handle: publicBytes.map((text) => text.slice(0, 86)),
}
const replaces = fc.oneof(
  fc.constantFrom('all' as const, 'none' as const),
  string.map((id) => ({ id })),
)
const setup = { owner: string, startedAt: time, misses: count, replaces }
const grant = { owner: string, until: time }
/** Of the policy. */
const version = fc.oneof(
  fc.nat({ max: 300 }),
  fc
    .maxSafeNat()
    .map((large) => large - 1)
    .filter((one) => one >= 0),
)
const digest = fc.oneof(base64url(16), base64url(32), string)
const codes = fc.oneof(
  fc.array(fc.record({ digest: base64url(16), usedAt: orNull(time) }), { maxLength: 12 }),
  fc.array(fc.record({ digest, usedAt: orNull(time) }), { maxLength: 4 }),
)
const ofAlways = {
  userId: string,
  version: count,
  writeId: string,
  epoch: count,
  authenticators: fc.array(
    fc.oneof(
      fc.record({
        ...totp,
        ...bound,
        lastStep: fc.oneof(fc.constant(-1), count),
        offset: fc.oneof(fc.constant(0), fc.integer({ min: -7200, max: 7200 })),
      }),
      fc.record({
        ...hotp,
        ...bound,
        counter: count,
        farMisses: fc.array(time, { maxLength: 2 }),
      }),
      fc.record({
        ...key,
        ...bound,
        serial: fc.constant(null),
        counter: count,
        credentialId: publicBytes,
        publicKey: publicBytes,
        transports,
        backupEligible: fc.boolean(),
        backedUp: fc.boolean(),
        suspendedAt: orNull(time),
      }),
    ),
    { maxLength: 3 },
  ),
  setup: orNull(
    fc.oneof(
      fc.record({ ...totp, ...setup }),
      fc.record({ ...totp, ...setup, policy: version }),
      fc.record({ ...hotp, ...setup }),
      fc.record({
        ...key,
        ...setup,
        challenge: fc.oneof(fc.constant(''), base64url(32)),
        challengeUntil: time,
        userVerification: fc.constantFrom('discouraged' as const, 'required' as const),
      }),
    ),
  ),
  mustSetUp: orNull(fc.record({ until: time })),
  backupCodes: orNull(
    fc.record({
      id: string,
      keyId,
      codes,
      createdAt: time,
      saved: fc.boolean(),
      seenByAdmin: fc.boolean(),
    }),
  ),
  oneTimeCodes: fc.array(
    fc.record({ id: string, keyId, digest, expiresAt: time, usedAt: orNull(time) }),
    { maxLength: 3 },
  ),
  setupGrant: orNull(fc.oneof(fc.record(grant), fc.record({ ...grant, policy: version }))),
  mailReset: orNull(
    fc.record({
      id: string,
      keyId,
      addressDigest: digest,
      digests: fc.array(digest, { maxLength: 2 }),
      askedAt: time,
      usableAt: time,
      expiresAt: time,
      readyTold: fc.boolean(),
      ip: orNull(string),
      userAgent: orNull(string),
    }),
  ),
  attempts: fc.record({ misses: fc.array(time, { maxLength: 5 }), consecutive: count }),
  lockedUntil: orNull(time),
  pausedUntil: orNull(time),
  ruleStart: orNull(time),
  passwordChangedAt: orNull(time),
  ended: fc.array(
    fc.record({ id: string, version: count, goodFrom: count }, { requiredKeys: ['id', 'version'] }),
    { maxLength: 3 },
  ),
  endedUpTo: orNull(count),
  usedChallenges: fc.array(fc.record({ digest: base64url(12), until: time }), { maxLength: 20 }),
  endedLogins: fc.array(fc.record({ id: string, until: time }), { maxLength: 3 }),
  trustedBrowsers: fc.array(
    fc.record({
      id: string,
      keyId: fc.oneof(base64url(6), string),
      digest,
      previous: orNull(digest),
      rotatedAt: time,
      createdAt: time,
      expiresAt: time,
      policyVersion: count,
      name: orNull(string),
    }),
    { maxLength: 3 },
  ),
}
const records: fc.Arbitrary<SecondStepRecord> = fc.oneof(
  fc.record(ofAlways),
  fc.record({ ...ofAlways, pausedFrom: time }),
)

function read(bytes: Buffer): unknown {
  return isEncoded(bytes) ? decodeRecord(bytes) : JSON.parse(bytes.toString())
}

function readOrNull(bytes: Buffer): unknown {
  try {
    return read(bytes)
  } catch {
    return null
  }
}

/** A user with an app, ten backup codes and one login, as the package writes it. */
function usualRecord(): SecondStepRecord {
  const random = (bytes: number) => fc.sample(base64url(bytes), 1)[0] ?? ''
  const now = 1_790_000_000_000
  const keyId = random(6)
  return {
    ...blankRecord('0f8fad5b-d9cb-469f-a165-70867728950e'),
    version: 4,
    writeId: [random(12), random(6), random(6), random(6)].join('.'),
    authenticators: [
      {
        ...{ id: random(12), type: 'totp', name: null, since: now, lastUsedAt: now + 90_000 },
        ...{ serial: null, offset: 0 },
        ...{ algorithm: 'sha1', digits: 6, period: 30, lastStep: 59_666_666 },
        secret: `v1.${keyId}.${random(12)}.${random(36)}`,
      },
    ],
    backupCodes: {
      id: random(12),
      keyId,
      codes: Array.from({ length: 10 }, () => ({ digest: random(16), usedAt: null })),
      createdAt: now,
      saved: true,
      seenByAdmin: false,
    },
    endedLogins: [{ id: random(16), until: now + 700_000 }],
  }
}

/** What was written before authenticators had serial numbers and offsets. */
const BYTES_OF_BEFORE =
  'ATQ6MQABAgMEBQYHCAkKCwxhbm4JARmrze8SNFYDFHBob25lgKCwjb0KwPwV6-G5HAIAGWtleS1pZCVub25jZS1vZi0xMjRzZWFsZWQtc2VjcmV0LW9mLTIwLWJ5dGVzAekO4rY'

describe('the bytes of a record', () => {
  it('give back every record as it was', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(read(encodeRecord(record))).to.deep.equal(JSON.parse(JSON.stringify(record)))
      }),
      { numRuns: 2000 },
    )
  })

  it('stand for text in base64url only where they give it back as it was', () => {
    const text = fc.oneof(
      fc.stringMatching(/^[\w-]{0,9}$/),
      fc.stringMatching(/^[\w+/=. -]{0,9}$/),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(text, (one) => {
        const again = Buffer.from(one, 'base64url').toString('base64url')
        expect(isBase64url(one)).to.equal(again === one)
      }),
      { numRuns: 2000 },
    )
  })

  it('have the name of their write in them, as the script of Redis is given it', () => {
    fc.assert(
      fc.property(records, (record) => {
        fc.pre(Buffer.from(record.writeId).toString() === record.writeId)
        const { bytes, name } = encodeNamedRecord(record)
        expect(bytes).to.deep.equal(encodeRecord(record))
        expect(name).to.deep.equal(nameBytes(record.writeId))
        if (isEncoded(bytes)) expect(bytes.indexOf(name)).to.equal(bytes.indexOf(':') + 1)
      }),
    )
  })

  it('are few for the usual record: Redis keeps up to 378 in 384', () => {
    const record = usualRecord()
    const bytes = encodeRecord(record)
    expect(isEncoded(bytes)).to.equal(true)
    expect(decodeRecord(bytes)).to.deep.equal(record)
    expect(bytes.length).to.be.at.most(360)
    const busy = { ...record, version: 99, ruleStart: 1_790_000_000_000, epoch: 3 }
    const writeId = `${record.writeId}.AAAAAAAA.BBBBBBBB.CCCCCCCC`
    expect(encodeRecord({ ...busy, writeId }).length).to.be.at.most(378)
  })

  it('that were changed in one place, or cut off, are refused', () => {
    for (const record of [
      usualRecord(),
      blankRecord('ann'),
      enrolledRecord('user', 1),
      largeRecord('user'),
    ]) {
      const bytes = encodeRecord(record)
      expect(isEncoded(bytes)).to.equal(true)
      for (let length = 0; length < bytes.length; length += 1) {
        expect(readOrNull(bytes.subarray(0, length)), `cut after ${length}`).to.equal(null)
      }
      for (let at = 0; at < bytes.length; at += 1) {
        for (const flip of [1, 2, 0x20, 0x80, 0xff]) {
          const changed = Buffer.from(bytes)
          changed[at] = (changed[at] ?? 0) ^ flip
          expect(readOrNull(changed), `byte ${at}`).to.equal(null)
        }
      }
    }
  })

  // An older process that read past the new members would take a token for an app, or its clock for right.
  it('of a clock that is off or a hardware token are none that an earlier version reads', () => {
    const record = usualRecord()
    const one = withCodes(record)[0] ?? expect.fail('no authenticator')
    const kindAt = (record: SecondStepRecord) => {
      const [a, b] = [6, 7].map((digits) => {
        const authenticators = withCodes(record).map((one) => ({
          ...one,
          digits: digits as 6 | 7,
        }))
        return encodeRecord({ ...record, authenticators })
      })
      const at = (a ?? expect.fail()).findIndex((byte, nth) => byte !== b?.[nth])
      return (a?.[at] ?? expect.fail()) >> 2
    }
    // An earlier version knows nine pairs of an algorithm and a number of digits, and refuses others.
    expect(kindAt(record)).to.equal(0)
    for (const later of [
      { offset: 2 },
      { offset: -1 },
      { serial: '' },
      { serial: 'A-17', offset: -240 },
    ]) {
      const changed = { ...record, authenticators: [{ ...one, ...later }] }
      expect(kindAt(changed)).to.equal(9)
      expect(decodeRecord(encodeRecord(changed))).to.deep.equal(changed)
    }
  })

  it('of before are read, and are as they were written then', () => {
    const bytes = Buffer.from(BYTES_OF_BEFORE, 'base64url')
    const record = decodeRecord(bytes)
    expect(record.authenticators[0]).to.include({ serial: null, offset: 0, lastStep: 59_666_666 })
    expect(encodeRecord(record)).to.deep.equal(bytes)
  })

  it('are JSON where a record has what this version does not know', () => {
    const record = usualRecord()
    const [one] = record.authenticators
    const strange = [
      { ...record, later: 1 },
      { ...record, authenticators: [{ ...one, later: 1 }] },
      { ...record, authenticators: [{ ...one, type: 'webauthn' }] },
      { ...record, attempts: { ...record.attempts, later: 1 } },
      { ...record, backupCodes: { ...record.backupCodes, later: null } },
      { ...record, ended: [{ id: 'a', version: 1, at: 2 }] },
      { ...record, mustSetUp: { until: 2, from: 1 } },
      { ...record, epoch: -1 },
      { ...record, userId: '\ud800' },
    ]
    for (const odd of strange) {
      const bytes = encodeRecord(odd as unknown as SecondStepRecord)
      expect(isEncoded(bytes)).to.equal(false)
      expect(JSON.parse(bytes.toString())).to.deep.equal(odd)
    }
  })

  it('have digests of any length, with nothing of what was in memory before', () => {
    for (let size = 0; size <= 40; size += 1) {
      const digests = [0xff, 0, 0x5a].map((byte) => Buffer.alloc(size, byte).toString('base64url'))
      const [codes, createdAt] = [digests.map((digest) => ({ digest, usedAt: null })), 1]
      const set = { id: 'set', keyId: null, codes, createdAt, saved: true, seenByAdmin: false }
      const record = { ...enrolledRecord('user', 1), backupCodes: set }
      const bytes = encodeRecord(record)
      expect(isEncoded(bytes)).to.equal(true)
      Buffer.allocUnsafe(4000).fill(0xff)
      expect(decodeRecord(bytes).backupCodes).to.deep.equal(set)
    }
  })

  it('are still of one user alone', () => {
    const read = decodeRecord(encodeRecord(blankRecord('ann')))
    expect(parseRecord(read, 'ann')).to.equal(read)
    expect(() => parseRecord(read, 'Ann')).to.throw(BrokenRecordError)
  })

  it('are read as a plain record, which can be copied', () => {
    const record = usualRecord()
    const read = decodeRecord(encodeRecord(record))
    expect({ ...read, epoch: 1 }).to.deep.equal({ ...record, epoch: 1 })
    expect(structuredClone(read)).to.deep.equal(record)
    expect(BASE64URL.test(read.authenticators[0]?.id ?? '.')).to.equal(true)
  })
})
