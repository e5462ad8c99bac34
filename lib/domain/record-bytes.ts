import { type BackupCodeSet, unusedBackupCodes } from '../factors/backup-codes/kept.js'
import type { Authenticator, UnprovenAuthenticator } from '../factors/factors.js'
import type { OneTimeCode } from '../factors/one-time-codes/kept.js'
import { ByteReader, BytesError, ByteWriter, checksum, isBase64url, sizeOf } from './bytes.js'
import type { MailReset } from './mail-reset.js'
import type { SecondStepRecord } from './record.js'
import { isRecord } from './record-shape.js'
import type { SetupInProgress } from './setup.js'
import type { Replaced } from './setup-place.js'
import type { EndedStamp } from './stamp.js'

/** The first byte. JSON begins with another. */
const FORMAT = 1
const BYTES_OF_A_CHECKSUM = 4
const [ZERO, COLON] = [0x30, 0x3a]
const ALGORITHMS = ['sha1', 'sha256', 'sha512'] as const
const DIGITS = [6, 7, 8] as const
/** How many pairs of an algorithm and a number of digits there are. */
const KINDS = ALGORITHMS.length * DIGITS.length
const USUAL_PERIOD = 30
const NO_ID = ''
const BYTES_OF_A_NONCE = 12
/** Without any bits of what stands behind it. */
const CHARACTERS_OF_A_NONCE = 16
const NEVER: number | null = null
/** A secret as the key ring seals it: `v1`, the key's id, 12 bytes of nonce, the rest. */
const SEALED = /^v1\.([\w-]{8})\.([\w-]{16})\.([\w-]{4,})$/

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
] as const

type Part = (typeof PARTS)[number]

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
  only(record, 19)
  only(record.attempts, 2)
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
    if (says(record, part)) mask |= bit
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

function says(record: SecondStepRecord, part: Part): boolean {
  const { attempts } = record
  const value = record[part]
  if (part === 'attempts') return attempts.misses.length > 0 || attempts.consecutive > 0
  if (part === 'epoch') return record.epoch !== 0
  return Array.isArray(value) ? value.length > 0 : value !== null
}

/** @throws BytesError for an object with further members: they would be lost */
function only(value: object, members: number): void {
  let left = members
  // Without the list of names, which would be made for each code and each login that has ended.
  for (const name in value) if (Object.hasOwn(value, name)) left -= 1
  if (left !== 0) throw new BytesError('an unknown member')
}

type Write = (writer: ByteWriter, record: SecondStepRecord) => void

const time =
  (part: 'lockedUntil' | 'pausedUntil' | 'ruleStart' | 'passwordChangedAt'): Write =>
  (writer, record) =>
    writer.time(record[part] ?? 0)

const WRITERS: Readonly<Record<Part, Write>> = {
  epoch: (writer, { epoch }) => writer.count(epoch),
  authenticators: (writer, { authenticators }) =>
    list(writer, authenticators, (one) => writeAuthenticator(writer, one)),
  mustSetUp: (writer, { mustSetUp }) =>
    withMembers(mustSetUp, 1, ({ until }) => writer.time(until)),
  attempts: (writer, { attempts }) => {
    list(writer, attempts.misses, (miss) => writer.time(miss))
    writer.count(attempts.consecutive)
  },
  lockedUntil: time('lockedUntil'),
  pausedUntil: time('pausedUntil'),
  ruleStart: time('ruleStart'),
  passwordChangedAt: time('passwordChangedAt'),
  ended: (writer, { ended }) => list(writer, ended, (stamp) => writeEnded(writer, stamp)),
  endedUpTo: (writer, { endedUpTo }) => writer.count(endedUpTo ?? 0),
  endedLogins: (writer, { endedLogins }) =>
    list(writer, endedLogins, (login) =>
      withMembers(login, 2, ({ id, until }) => {
        writer.string(id)
        writer.time(until)
      }),
    ),
  setupGrant: (writer, { setupGrant }) =>
    withMembers(setupGrant, 2, ({ owner, until }) => {
      writer.string(owner)
      writer.time(until)
    }),
  setup: (writer, { setup }) =>
    withMembers(setup, setup?.type === 'hotp' ? 8 : 9, (set) => writeSetup(writer, set)),
  mailReset: (writer, { mailReset }) =>
    withMembers(mailReset, 10, (reset) => writeMailReset(writer, reset)),
  oneTimeCodes: (writer, { oneTimeCodes }) =>
    list(writer, oneTimeCodes, (code) => writeOneTimeCode(writer, code)),
  backupCodes: (writer, { backupCodes }) =>
    withMembers(backupCodes, 6, (set) => writeBackupCodes(writer, set)),
}

function writeEnded(writer: ByteWriter, stamp: EndedStamp): void {
  const { id, version, goodFrom } = stamp
  only(stamp, goodFrom === undefined ? 2 : 3)
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
  only(value, members)
  write(value)
}

function list<T>(writer: ByteWriter, values: readonly T[], write: (value: T) => void): void {
  writer.count(values.length)
  for (const value of values) write(value)
}

function readRecord(reader: ByteReader, version: number): SecondStepRecord {
  const writeId = reader.string()
  const userId = reader.string()
  const mask = reader.count()
  if (mask >= 2 ** PARTS.length) throw new BytesError('an unknown part')
  // In the order of PARTS, which is the order of the bytes.
  return {
    userId,
    version,
    writeId,
    authenticators: mask & 1 ? listed(reader, readAuthenticator) : [],
    ended: mask & 2 ? listed(reader, readEnded) : [],
    endedLogins: mask & 4 ? listed(reader, readEndedLogin) : [],
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
    oneTimeCodes: mask & 32_768 ? listed(reader, readOneTimeCode) : [],
  }
}

function listed<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const values: T[] = []
  for (let left = reader.count(); left > 0; left -= 1) values.push(read(reader))
  return values
}

function readTime(reader: ByteReader): number {
  return reader.time()
}

function readAttempts(reader: ByteReader) {
  const misses = listed(reader, readTime)
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

function writeAuthenticator(writer: ByteWriter, one: Authenticator): void {
  only(one, one.type === 'totp' ? 12 : 11)
  const { name, lastUsedAt, serial } = one
  const offset = one.type === 'totp' ? one.offset : 0
  const later =
    4 * Number(offset !== 0) + 8 * Number(serial !== null) + 16 * Number(one.type === 'hotp')
  writer.string(one.id)
  writer.count(Number(name !== null) + 2 * Number(lastUsedAt !== null) + later)
  if (name !== null) writer.string(name)
  writer.time(one.since)
  if (lastUsedAt !== null) writer.time(lastUsedAt)
  // The step or the counter of the next code.
  const next = one.type === 'totp' ? one.lastStep + 1 : one.counter
  if (!Number.isSafeInteger(next)) throw new BytesError('a step that is too large')
  writer.count(next)
  if (offset !== 0) writer.count(offset > 0 ? 2 * offset : -2 * offset - 1)
  if (serial !== null) writer.string(serial)
  if (one.type === 'hotp') list(writer, one.farMisses, (missedAt) => writer.time(missedAt))
  writeSecret(writer, one, one.type === 'totp' && later > 0)
}

function readAuthenticator(reader: ByteReader): Authenticator {
  const id = reader.string()
  const has = reader.count()
  const name = has & 1 ? reader.string() : null
  const since = reader.time()
  const lastUsedAt = has & 2 ? reader.time() : null
  const next = reader.count()
  const offset = has & 4 ? readOffset(reader) : 0
  const serial = has & 8 ? reader.string() : null
  const farMisses = has & 16 ? listed(reader, readTime) : null
  const kept = readKind(reader)
  // Member by member, here and where a secret is read: to copy all members of another object takes longer
  // than everything else of a record.
  if (kept.type === 'totp' && farMisses === null) {
    const { type, algorithm, digits, period, secret } = kept
    return {
      id,
      name,
      since,
      lastUsedAt,
      serial,
      lastStep: next - 1,
      offset,
      type,
      algorithm,
      digits,
      period,
      secret,
    }
  }
  if (kept.type === 'hotp' && farMisses !== null) {
    const { type, algorithm, digits, secret } = kept
    return {
      id,
      name,
      since,
      lastUsedAt,
      serial,
      counter: next,
      farMisses,
      type,
      algorithm,
      digits,
      secret,
    }
  }
  throw new BytesError('an authenticator of another type than its secret')
}

function readOffset(reader: ByteReader): number {
  const folded = reader.count()
  return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2
}

function writeSetup(writer: ByteWriter, setup: SetupInProgress): void {
  writer.string(setup.owner)
  writer.time(setup.startedAt)
  writer.count(setup.misses)
  const { replaces } = setup
  writeSecret(writer, setup, replaces !== 'all')
  // The kind of its secret says that it follows.
  if (replaces === 'all') return
  if (replaces !== 'none') only(replaces, 1)
  const id = replaces === 'none' ? NO_ID : replaces.id
  if (replaces !== 'none' && id === NO_ID) throw new BytesError('an authenticator without an id')
  writer.string(id)
}

function readSetup(reader: ByteReader): SetupInProgress {
  const owner = reader.string()
  const startedAt = reader.time()
  const misses = reader.count()
  const kept = readKind(reader)
  const replaces = kept.isLater ? readReplaced(reader) : 'all'
  const { type, algorithm, digits, secret } = kept
  const begun = { owner, startedAt, misses, replaces, algorithm, digits, secret }
  return type === 'hotp' ? { ...begun, type } : { ...begun, type, period: kept.period }
}

function readReplaced(reader: ByteReader): Replaced {
  const id = reader.string()
  return id === NO_ID ? 'none' : { id }
}

/**
 * @param isLater whether members stand before it that a process of an earlier version does not know.
 *   It must refuse such a record, so the kind is one that it does not know. So is that of each secret
 *   with a counter.
 */
function writeSecret(writer: ByteWriter, one: UnprovenAuthenticator, isLater = false): void {
  const { type, algorithm, digits, secret } = one
  const period = type === 'totp' ? one.period : USUAL_PERIOD
  const [, keyId = '', nonce = '', rest = ''] = SEALED.exec(secret) ?? []
  const isSealed = keyId !== '' && isBase64url(rest)
  const block = 2 * Number(type === 'hotp') + Number(isLater)
  const kind = ALGORITHMS.indexOf(algorithm) + 3 * (digits - 6) + KINDS * block
  writer.count(4 * kind + 2 * Number(isSealed) + Number(period !== USUAL_PERIOD))
  if (period !== USUAL_PERIOD) writer.count(period)
  if (!isSealed) {
    writer.string(secret)
    return
  }
  writer.repeated(keyId)
  writer.count(BYTES_OF_A_NONCE + sizeOf(rest))
  writer.base64url(nonce)
  writer.base64url(rest)
}

/** `isLater`: members stand beside it that an earlier version does not know. */
function readKind(reader: ByteReader): UnprovenAuthenticator & { readonly isLater: boolean } {
  const head = reader.count()
  const kind = head >> 2
  const algorithm = ALGORITHMS[kind % 3] ?? 'sha1'
  const digits = DIGITS[Math.floor(kind / 3) % DIGITS.length]
  if (digits === undefined || kind >= 4 * KINDS) throw new BytesError('an unknown kind of codes')
  const period = head & 1 ? reader.count() : USUAL_PERIOD
  const secret = head & 2 ? readSealed(reader) : reader.string()
  const isLater = kind % (2 * KINDS) >= KINDS
  if (kind >= 2 * KINDS) return { type: 'hotp', algorithm, digits, secret, isLater }
  return { type: 'totp', algorithm, digits, period, secret, isLater }
}

function readSealed(reader: ByteReader): string {
  const keyId = reader.repeated()
  const sealed = reader.base64url(reader.count())
  return `v1.${keyId}.${sealed.slice(0, CHARACTERS_OF_A_NONCE)}.${sealed.slice(CHARACTERS_OF_A_NONCE)}`
}

function writeMailReset(writer: ByteWriter, reset: MailReset): void {
  writer.string(reset.id)
  writer.repeated(reset.keyId)
  writer.string(reset.addressDigest)
  list(writer, reset.digests, (digest) => writer.string(digest))
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
  const digests = listed(reader, () => reader.string())
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

function writeOneTimeCode(writer: ByteWriter, code: OneTimeCode): void {
  only(code, 5)
  writer.string(code.id)
  writer.repeated(code.keyId)
  writer.string(code.digest)
  writer.time(code.expiresAt)
  writer.count(Number(code.usedAt !== null))
  if (code.usedAt !== null) writer.time(code.usedAt)
}

function readOneTimeCode(reader: ByteReader): OneTimeCode {
  const [id, keyId, digest] = [reader.string(), reader.repeated(), reader.string()]
  const expiresAt = reader.time()
  return { id, keyId, digest, expiresAt, usedAt: reader.count() === 0 ? null : reader.time() }
}

/** Digests of one length stand behind one another. What was used is listed by number. */
function writeBackupCodes(writer: ByteWriter, set: BackupCodeSet): void {
  const size = sizeOf(set.codes[0]?.digest ?? '')
  const areEven = set.codes.every(({ digest }) => sizeOf(digest) === size && isBase64url(digest))
  writer.string(set.id)
  writer.repeated(set.keyId)
  writer.time(set.createdAt)
  writer.count(Number(set.saved) + 2 * Number(set.seenByAdmin) + 4 * Number(areEven))
  writer.count(set.codes.length)
  if (areEven) writer.count(size)
  for (const code of set.codes) {
    only(code, 2)
    if (areEven) writer.base64url(code.digest)
    else writer.string(code.digest)
  }
  writer.count(set.codes.length - unusedBackupCodes(set))
  let at = 0
  for (const { usedAt } of set.codes) {
    if (usedAt !== null) {
      writer.count(at)
      writer.time(usedAt)
    }
    at += 1
  }
}

function readBackupCodes(reader: ByteReader): BackupCodeSet {
  const [id, keyId, createdAt] = [reader.string(), reader.repeated(), reader.time()]
  const flags = reader.count()
  const length = reader.count()
  const size = flags >= 4 ? reader.count() : 0
  const digests = flags >= 4 ? reader.base64urls(size, length) : reader.strings(length)
  const codes = digests.map((digest) => ({ digest, usedAt: NEVER }))
  for (let used = reader.count(); used > 0; used -= 1) {
    const code = codes[reader.count()]
    if (code === undefined) throw new BytesError('a code that is not there')
    code.usedAt = reader.time()
  }
  return { id, keyId, codes, createdAt, saved: flags % 2 === 1, seenByAdmin: (flags & 2) === 2 }
}
