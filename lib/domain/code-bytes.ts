import { type BackupCodeSet, unusedBackupCodes } from '../factors/backup-codes/kept.js'
import type { OneTimeCode } from '../factors/one-time-codes/kept.js'
import { requireMembers } from './byte-parts.js'
import { type ByteReader, BytesError, type ByteWriter, isBase64url, sizeOf } from './bytes.js'

const NEVER: number | null = null

export function writeOneTimeCode(writer: ByteWriter, code: OneTimeCode): void {
  requireMembers(code, 5)
  writer.string(code.id)
  writer.repeated(code.keyId)
  writer.string(code.digest)
  writer.time(code.expiresAt)
  writer.count(Number(code.usedAt !== null))
  if (code.usedAt !== null) writer.time(code.usedAt)
}

export function readOneTimeCode(reader: ByteReader): OneTimeCode {
  const [id, keyId, digest] = [reader.string(), reader.repeated(), reader.string()]
  const expiresAt = reader.time()
  return { id, keyId, digest, expiresAt, usedAt: reader.count() === 0 ? null : reader.time() }
}

/** Digests of one length stand behind one another. What was used is listed by number. */
export function writeBackupCodes(writer: ByteWriter, set: BackupCodeSet): void {
  const size = sizeOf(set.codes[0]?.digest ?? '')
  const areEven = set.codes.every(({ digest }) => sizeOf(digest) === size && isBase64url(digest))
  writer.string(set.id)
  writer.repeated(set.keyId)
  writer.time(set.createdAt)
  writer.count(Number(set.saved) + 2 * Number(set.seenByAdmin) + 4 * Number(areEven))
  writer.count(set.codes.length)
  if (areEven) writer.count(size)
  for (const code of set.codes) {
    requireMembers(code, 2)
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

export function readBackupCodes(reader: ByteReader): BackupCodeSet {
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
