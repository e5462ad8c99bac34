import type { Authenticator, CodeAuthenticator, UnprovenCodes } from '../factors/factors.js'
import { readList, readTime, requireMembers, writeList } from './byte-parts.js'
import { type ByteReader, BytesError, type ByteWriter, isBase64url, sizeOf } from './bytes.js'
import {
  HAS_KEY,
  isKeyHead,
  keyHead,
  readKey,
  readUnprovenKey,
  writeKey,
  writeUnprovenKey,
} from './key-bytes.js'
import type { SetupInProgress } from './setup.js'
import type { Replaced } from './setup-place.js'

const ALGORITHMS = ['sha1', 'sha256', 'sha512'] as const
const DIGITS = [6, 7, 8] as const
/** How many pairs of an algorithm and a number of digits there are. */
const KINDS = ALGORITHMS.length * DIGITS.length
const USUAL_PERIOD = 30
const NO_ID = ''
const BYTES_OF_A_NONCE = 12
/** Without any bits of what stands behind it. */
const CHARACTERS_OF_A_NONCE = 16
/** A secret as the key ring seals it: `v1`, the key's id, 12 bytes of nonce, the rest. */
const SEALED = /^v1\.([\w-]{8})\.([\w-]{16})\.([\w-]{4,})$/

export function writeAuthenticator(writer: ByteWriter, one: Authenticator): void {
  if (one.type === 'webauthn') writeKey(writer, one)
  else writeCodes(writer, one)
}

function writeCodes(writer: ByteWriter, one: CodeAuthenticator): void {
  requireMembers(one, one.type === 'totp' ? 12 : 11)
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
  if (one.type === 'hotp') writeList(writer, one.farMisses, (missedAt) => writer.time(missedAt))
  writeSecret(writer, one, one.type === 'totp' && later > 0)
}

export function readAuthenticator(reader: ByteReader): Authenticator {
  const id = reader.string()
  const has = reader.count()
  const name = has & 1 ? reader.string() : null
  const since = reader.time()
  const lastUsedAt = has & 2 ? reader.time() : null
  const next = reader.count()
  if (has & HAS_KEY) return readKey(reader, { id, name, since, lastUsedAt, counter: next })
  const offset = has & 4 ? readOffset(reader) : 0
  const serial = has & 8 ? reader.string() : null
  const farMisses = has & 16 ? readList(reader, readTime) : null
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

export function writeSetup(writer: ByteWriter, setup: SetupInProgress): void {
  writer.string(setup.owner)
  writer.time(setup.startedAt)
  writer.count(setup.misses)
  const { replaces } = setup
  if (setup.type === 'webauthn') writeUnprovenKey(writer, setup, replaces !== 'all')
  else writeSecret(writer, setup, replaces !== 'all')
  // The kind of its secret says that it follows.
  if (replaces === 'all') return
  if (replaces !== 'none') requireMembers(replaces, 1)
  const id = replaces === 'none' ? NO_ID : replaces.id
  if (replaces !== 'none' && id === NO_ID) throw new BytesError('an authenticator without an id')
  writer.string(id)
}

export function readSetup(reader: ByteReader): SetupInProgress {
  const owner = reader.string()
  const startedAt = reader.time()
  const misses = reader.count()
  const head = reader.count()
  if (isKeyHead(head)) {
    const unproven = readUnprovenKey(reader)
    const replaces = head === keyHead(true) ? readReplaced(reader) : 'all'
    return { owner, startedAt, misses, replaces, ...unproven }
  }
  const kept = readKindOf(head, reader)
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
function writeSecret(writer: ByteWriter, one: UnprovenCodes, isLater = false): void {
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
function readKind(reader: ByteReader): UnprovenCodes & { readonly isLater: boolean } {
  return readKindOf(reader.count(), reader)
}

function readKindOf(
  head: number,
  reader: ByteReader,
): UnprovenCodes & { readonly isLater: boolean } {
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
