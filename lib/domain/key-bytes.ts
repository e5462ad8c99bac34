import {
  TRANSPORTS,
  type UnprovenWebauthn,
  type WebauthnAuthenticator,
} from '../factors/webauthn/kept.js'
import { requireMembers } from './byte-parts.js'
import { type ByteReader, BytesError, type ByteWriter } from './bytes.js'

/** Among the bits of what an authenticator has: it is a key. */
export const HAS_KEY = 32
/**
 * Where a secret has its kind, a key has one that no secret has: a process of an earlier version must
 * refuse such a record.
 */
const KIND = 144

/** The kind of a set-up's challenge. `isPlaced`: what the new key replaces stands behind it. */
export function keyHead(isPlaced: boolean): number {
  return KIND + 4 * Number(isPlaced)
}

export function isKeyHead(head: number): boolean {
  return head === keyHead(false) || head === keyHead(true)
}

export function writeKey(writer: ByteWriter, key: WebauthnAuthenticator): void {
  requireMembers(key, 15)
  const { name, lastUsedAt, suspendedAt } = key
  writer.string(key.id)
  writer.count(Number(name !== null) + 2 * Number(lastUsedAt !== null) + HAS_KEY)
  if (name !== null) writer.string(name)
  writer.time(key.since)
  if (lastUsedAt !== null) writer.time(lastUsedAt)
  writer.count(key.counter)
  writer.count(KIND)
  writer.string(key.credentialId)
  writer.string(key.publicKey)
  writer.repeated(key.rpId)
  writer.repeated(key.handle)
  writer.count(transportBits(key.transports))
  const { backupEligible, backedUp } = key
  writer.count(Number(backupEligible) + 2 * Number(backedUp) + 4 * Number(suspendedAt !== null))
  if (suspendedAt !== null) writer.time(suspendedAt)
}

/** The rest of a key, behind what every authenticator has and its counter. */
export function readKey(
  reader: ByteReader,
  bound: Pick<WebauthnAuthenticator, 'id' | 'name' | 'since' | 'lastUsedAt' | 'counter'>,
): WebauthnAuthenticator {
  if (reader.count() !== KIND) throw new BytesError('an unknown kind of keys')
  const [credentialId, publicKey] = [reader.string(), reader.string()]
  const [rpId, handle] = [readRepeated(reader), readRepeated(reader)]
  const bits = reader.count()
  const transports = TRANSPORTS.filter((_, at) => bits & (1 << at))
  const flags = reader.count()
  return {
    ...bound,
    type: 'webauthn',
    serial: null,
    credentialId,
    publicKey,
    rpId,
    handle,
    transports,
    backupEligible: (flags & 1) !== 0,
    backedUp: (flags & 2) !== 0,
    suspendedAt: flags & 4 ? reader.time() : null,
  }
}

export function writeUnprovenKey(
  writer: ByteWriter,
  unproven: UnprovenWebauthn,
  isPlaced: boolean,
): void {
  writer.count(keyHead(isPlaced))
  writer.string(unproven.challenge)
  writer.time(unproven.challengeUntil)
  writer.count(Number(unproven.userVerification === 'required'))
  writer.repeated(unproven.rpId)
  writer.repeated(unproven.handle)
}

export function readUnprovenKey(reader: ByteReader): UnprovenWebauthn {
  const [challenge, challengeUntil] = [reader.string(), reader.time()]
  const userVerification = reader.count() === 1 ? 'required' : 'discouraged'
  const [rpId, handle] = [readRepeated(reader), readRepeated(reader)]
  return { type: 'webauthn', challenge, challengeUntil, userVerification, rpId, handle }
}

function readRepeated(reader: ByteReader): string {
  const text = reader.repeated()
  if (text === null) throw new BytesError('a key without its names')
  return text
}

/** In another order they would come back in this one, and the record would differ from what was written. */
function transportBits(transports: WebauthnAuthenticator['transports']): number {
  const bits = TRANSPORTS.reduce(
    (sum, transport, at) => sum + (transports.includes(transport) ? 1 << at : 0),
    0,
  )
  const inOrder = TRANSPORTS.filter((_, at) => bits & (1 << at))
  if (inOrder.join() !== transports.join()) throw new BytesError('transports in another order')
  return bits
}
