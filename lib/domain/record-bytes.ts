import {
  readAuthenticator,
  readSetup,
  writeAuthenticator,
  writeSetup,
} from './authenticator-bytes.js'
import { readList, readTime, requireMembers, writeList } from './byte-parts.js'
import { ByteReader, BytesError, ByteWriter, checksum } from './bytes.js'
import {
  readBackupCodes,
  readOneTimeCode,
  writeBackupCodes,
  writeOneTimeCode,
} from './code-bytes.js'
import type { MailReset } from './mail-reset.js'
import type { SecondStepRecord } from './record.js'
import { isRecord } from './record-shape.js'
import type { EndedStamp } from './stamp.js'
import { readTrustedBrowser, writeTrustedBrowser } from './trusted-bytes.js'

/** The first byte. JSON begins with another. */
const FORMAT = 1
const BYTES_OF_A_CHECKSUM = 4
const [ZERO, COLON] = [0x30, 0x3a]

/**
 * The parts of a record that are written only where they say something. In the order of their bytes, the
 * usual ones first, whose bits take one byte then.
 */
const PARTS = [
  'authenticators',
  'ended',
  'endedLogins',
  'epoch',
  'ruleStart',
  'attempts',
  'backupCodes',
  'endedUpTo',
  'mustSetUp',
  'lockedUntil',
  'pausedUntil',
  'passwordChangedAt',
  'setupGrant',
  'setup',
  'mailReset',
  'oneTimeCodes',
  'usedChallenges',
  'trustedBrowsers',
  'pausedFrom',
  'begunUnder',
] as const

type Part = (typeof PARTS)[number]

/** How many members a set-up in progress has. */
const SETUP_MEMBERS = { totp: 9, hotp: 8, webauthn: 10 } as const

/** On what `decodeRecord` has made. Copies don't have it. */
const DECODED = Symbol('decoded')
const IS_DECODED = { value: true }

/** Whether a value is what `decodeRecord` has made, and so has the shape of a record. */
export function wasDecoded(value: unknown): value is SecondStepRecord {
  return typeof value === 'object' && value !== null && DECODED in value
}

/** The name of a write as it stands in the bytes of its record. */
export function nameBytes(writeId: string): Buffer {
  const writer = new ByteWriter()
  writer.string(writeId)
  return writer.written
}

/**
 * A record in a quarter of the bytes of its JSON: the format, the version in digits, a colon and the
 * name of the write, so that a script of Redis can read these, then what differs from a blank record, and a
 * checksum. A record that has something that this format does not know is written as JSON.
 */
export function encodeRecord(record: SecondStepRecord): Buffer {
  return encodedOrNull(record)?.bytes ?? Buffer.from(JSON.stringify(record))
}

interface NamedBytes {
  readonly bytes: Buffer
  /** The name of the write, as `nameBytes` writes it. */
  readonly name: Buffer
}

/**
 * The same, and the name of its write.
 *
 * @throws BytesError for a name that has no bytes
 */
export function encodeNamedRecord(record: SecondStepRecord): NamedBytes {
  const encoded = encodedOrNull(record)
  if (encoded !== null) return encoded
  return { bytes: encodeRecord(record), name: nameBytes(record.writeId) }
}

/** Null for a record that this format does not know. */
function encodedOrNull(record: SecondStepRecord): NamedBytes | null {
  try {
    return isRecord(record) ? encoded(record) : null
  } catch (error) {
    if (error instanceof BytesError) return null
    throw error
  }
}

/** Whether these are the bytes of a record in this format. */
export function isEncoded(bytes: Buffer): boolean {
  return bytes[0] === FORMAT
}

/**
 * Reads what `encodeRecord` has written. All of it: to leave secrets and digests for later takes longer
 * than to read them.
 *
 * @throws BytesError where a byte is not as it was written
 */
export function decodeRecord(bytes: Buffer): SecondStepRecord {
  const end = bytes.length - BYTES_OF_A_CHECKSUM
  if (!isEncoded(bytes) || end < 0 || checksum(bytes, end) !== bytes.readUInt32BE(end)) {
    throw new BytesError('the bytes of a record were changed')
  }
  let [version, at] = [0, 1]
  for (; bytes[at] !== COLON; at += 1) version = 10 * version + digitAt(bytes, at)
  // The last bytes, of the checksum, are not its own: a part of the bytes as a buffer would cost more.
  const reader = new ByteReader(bytes, at + 1)
  const record = readRecord(reader, version)
  if (!reader.isAt(end)) throw new BytesError('bytes that nothing has written')
  return Object.defineProperty(record, DECODED, IS_DECODED)
}

/** @throws BytesError for what is no digit, be it the end */
function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] ?? 0) - ZERO
  if (digit < 0 || digit > 9) throw new BytesError('no version')
  return digit
}

function encoded(record: SecondStepRecord): NamedBytes {
  requireMembers(record, record.pausedFrom === undefined ? 21 : 22)
  requireMembers(record.attempts, 2)
  const writer = new ByteWriter()
  writer.byte(FORMAT)
  writer.ascii(`${record.version}:`)
  const nameAt = writer.written.length
  writer.string(record.writeId)
  const nameEnd = writer.written.length
  writer.string(record.userId)
  let mask = 0
  let bit = 1
  for (const part of PARTS) {
    if (differsFromBlank(record, part)) mask |= bit
    bit <<= 1
  }
  writer.count(mask)
  bit = 1
  for (const part of PARTS) {
    if (mask & bit) WRITERS[part](writer, record)
    bit <<= 1
  }
  const { written } = writer
  const sum = checksum(written, written.length)
  for (const shift of [24, 16, 8, 0]) writer.byte(sum >>> shift)
  const bytes = writer.written
  return { bytes, name: bytes.subarray(nameAt, nameEnd) }
}

function differsFromBlank(record: SecondStepRecord, part: Part): boolean {
  const { attempts } = record
  if (part === 'attempts') return attempts.misses.length > 0 || attempts.consecutive > 0
  if (part === 'begunUnder') return policiesOf(record).some((version) => version !== undefined)
  if (part === 'epoch') return record.epoch !== 0
  const value = record[part]
  return Array.isArray(value) ? value.length > 0 : (value ?? null) !== null
}

/** Of the policy, under which the set-up and the right to set up began. */
function policiesOf({ setup, setupGrant }: SecondStepRecord): readonly (number | undefined)[] {
  return [setup?.policy, setupGrant?.policy]
}

function knownPolicy(begun: { readonly policy?: number } | null): number {
  return begun?.policy === undefined ? 0 : 1
}

type Write = (writer: ByteWriter, record: SecondStepRecord) => void

const time =
  (part: 'lockedUntil' | 'pausedUntil' | 'pausedFrom' | 'ruleStart' | 'passwordChangedAt'): Write =>
  (writer, record) =>
    writer.time(record[part] ?? 0)

const WRITERS: Readonly<Record<Part, Write>> = {
  epoch: (writer, { epoch }) => writer.count(epoch),
  authenticators: (writer, { authenticators }) =>
    writeList(writer, authenticators, (one) => writeAuthenticator(writer, one)),
  mustSetUp: (writer, { mustSetUp }) =>
    withMembers(mustSetUp, 1, ({ until }) => writer.time(until)),
  attempts: (writer, { attempts }) => {
    writeList(writer, attempts.misses, (miss) => writer.time(miss))
    writer.count(attempts.consecutive)
  },
  lockedUntil: time('lockedUntil'),
  pausedUntil: time('pausedUntil'),
  pausedFrom: time('pausedFrom'),
  ruleStart: time('ruleStart'),
  passwordChangedAt: time('passwordChangedAt'),
  ended: (writer, { ended }) => writeList(writer, ended, (stamp) => writeEnded(writer, stamp)),
  endedUpTo: (writer, { endedUpTo }) => writer.count(endedUpTo ?? 0),
  endedLogins: (writer, { endedLogins }) =>
    writeList(writer, endedLogins, (login) =>
      withMembers(login, 2, ({ id, until }) => {
        writer.string(id)
        writer.time(until)
      }),
    ),
  setupGrant: (writer, { setupGrant }) =>
    withMembers(setupGrant, 2 + knownPolicy(setupGrant), ({ owner, until }) => {
      writer.string(owner)
      writer.time(until)
    }),
  setup: (writer, { setup }) =>
    withMembers(setup, setup === null ? 0 : SETUP_MEMBERS[setup.type] + knownPolicy(setup), (set) =>
      writeSetup(writer, set),
    ),
  begunUnder: (writer, record) => {
    for (const version of policiesOf(record)) {
      if (version === Number.MAX_SAFE_INTEGER) throw new BytesError('a version that is too large')
      writer.count(version === undefined ? 0 : version + 1)
    }
  },
  mailReset: (writer, { mailReset }) =>
    withMembers(mailReset, 10, (reset) => writeMailReset(writer, reset)),
  oneTimeCodes: (writer, { oneTimeCodes }) =>
    writeList(writer, oneTimeCodes, (code) => writeOneTimeCode(writer, code)),
  usedChallenges: (writer, { usedChallenges }) =>
    writeList(writer, usedChallenges, (used) =>
      withMembers(used, 2, ({ digest, until }) => {
        writer.string(digest)
        writer.time(until)
      }),
    ),
  backupCodes: (writer, { backupCodes }) =>
    withMembers(backupCodes, 6, (set) => writeBackupCodes(writer, set)),
  trustedBrowsers: (writer, { trustedBrowsers }) =>
    writeList(writer, trustedBrowsers, (one) => writeTrustedBrowser(writer, one)),
}

function writeEnded(writer: ByteWriter, stamp: EndedStamp): void {
  const { id, version, goodFrom } = stamp
  requireMembers(stamp, goodFrom === undefined ? 2 : 3)
  if (version >= 2 ** 51) throw new BytesError('a version that is too large')
  writer.string(id)
  writer.count(2 * version + Number(goodFrom !== undefined))
  if (goodFrom !== undefined) writer.count(goodFrom)
}

function withMembers<T extends object>(
  value: T | null,
  members: number,
  write: (value: T) => void,
): void {
  if (value === null) return
  requireMembers(value, members)
  write(value)
}

function readRecord(reader: ByteReader, version: number): SecondStepRecord {
  const writeId = reader.string()
  const userId = reader.string()
  const mask = reader.count()
  if (mask >= 2 ** PARTS.length) throw new BytesError('an unknown part')
  // In the order of PARTS, which is the order of the bytes.
  const record = {
    userId,
    version,
    writeId,
    authenticators: mask & 1 ? readList(reader, readAuthenticator) : [],
    ended: mask & 2 ? readList(reader, readEnded) : [],
    endedLogins: mask & 4 ? readList(reader, readEndedLogin) : [],
    epoch: mask & 8 ? reader.count() : 0,
    ruleStart: mask & 16 ? reader.time() : null,
    attempts: mask & 32 ? readAttempts(reader) : { misses: [], consecutive: 0 },
    backupCodes: mask & 64 ? readBackupCodes(reader) : null,
    endedUpTo: mask & 128 ? reader.count() : null,
    mustSetUp: mask & 256 ? { until: reader.time() } : null,
    lockedUntil: mask & 512 ? reader.time() : null,
    pausedUntil: mask & 1024 ? reader.time() : null,
    passwordChangedAt: mask & 2048 ? reader.time() : null,
    setupGrant: mask & 4096 ? { owner: reader.string(), until: reader.time() } : null,
    setup: mask & 8192 ? readSetup(reader) : null,
    mailReset: mask & 16_384 ? readMailReset(reader) : null,
    oneTimeCodes: mask & 32_768 ? readList(reader, readOneTimeCode) : [],
    usedChallenges: mask & 65_536 ? readList(reader, readUsedChallenge) : [],
    trustedBrowsers: mask & 131_072 ? readList(reader, readTrustedBrowser) : [],
  }
  const paused = mask & 262_144 ? { ...record, pausedFrom: reader.time() } : record
  return mask & 524_288 ? begunUnder(paused, reader.count(), reader.count()) : paused
}

/** A version of 0 is not known; any other was raised by one. */
function begunUnder(record: SecondStepRecord, ofSetup: number, ofGrant: number): SecondStepRecord {
  const { setup, setupGrant } = record
  return {
    ...record,
    ...(setup !== null && ofSetup > 0 && { setup: { ...setup, policy: ofSetup - 1 } }),
    ...(setupGrant !== null &&
      ofGrant > 0 && { setupGrant: { ...setupGrant, policy: ofGrant - 1 } }),
  }
}

function readAttempts(reader: ByteReader) {
  const misses = readList(reader, readTime)
  return { misses, consecutive: reader.count() }
}

function readEnded(reader: ByteReader): EndedStamp {
  const [id, head] = [reader.string(), reader.count()]
  const stamp = { id, version: Math.floor(head / 2) }
  return head % 2 === 1 ? { ...stamp, goodFrom: reader.count() } : stamp
}

function readEndedLogin(reader: ByteReader) {
  return { id: reader.string(), until: reader.time() }
}

function readUsedChallenge(reader: ByteReader) {
  return { digest: reader.string(), until: reader.time() }
}

function writeMailReset(writer: ByteWriter, reset: MailReset): void {
  writer.string(reset.id)
  writer.repeated(reset.keyId)
  writer.string(reset.addressDigest)
  writeList(writer, reset.digests, (digest) => writer.string(digest))
  for (const at of [reset.askedAt, reset.usableAt, reset.expiresAt]) writer.time(at)
  const { readyTold, ip, userAgent } = reset
  writer.count(Number(readyTold) + 2 * Number(ip !== null) + 4 * Number(userAgent !== null))
  if (ip !== null) writer.string(ip)
  if (userAgent !== null) writer.string(userAgent)
}

function readMailReset(reader: ByteReader): MailReset {
  const id = reader.string()
  const keyId = reader.repeated()
  const addressDigest = reader.string()
  const digests = readList(reader, () => reader.string())
  const [askedAt, usableAt, expiresAt] = [reader.time(), reader.time(), reader.time()]
  const flags = reader.count()
  const ip = flags & 2 ? reader.string() : null
  const userAgent = flags & 4 ? reader.string() : null
  const readyTold = flags % 2 === 1
  return {
    id,
    keyId,
    addressDigest,
    digests,
    askedAt,
    usableAt,
    expiresAt,
    readyTold,
    ip,
    userAgent,
  }
}
