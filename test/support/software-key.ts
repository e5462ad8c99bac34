import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'

/** What an authenticator says of itself and of the user who touched it. */
export interface KeyFlags {
  /** Somebody touched it. */
  readonly present: boolean
  /** It knows who: a PIN, a fingerprint. */
  readonly verified: boolean
  /** It may be synced to other devices. */
  readonly backupEligible: boolean
  /** It is synced. */
  readonly backedUp: boolean
}

/** How one answer differs from that of an honest browser and key. */
export interface Twist extends Partial<KeyFlags> {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  /** `webauthn.get` or `webauthn.create`, as the browser says what it was asked. */
  readonly type?: string
  readonly counter?: number
  readonly crossOrigin?: boolean
  readonly userHandle?: string
  readonly credentialId?: string
  /** Another key's signature. */
  readonly signedBy?: SoftwareKey
}

/** A security key in software, with one credential: what a browser and its key answer. */
export interface SoftwareKey {
  readonly credentialId: string
  readonly privateKey: KeyObject
  /** The signature counter of the last answer. 0 for ever where the key has none. */
  readonly counter: number
  register(options: PublicKeyCredentialCreationOptionsJSON, twist?: Twist): RegistrationResponseJSON
  sign(options: PublicKeyCredentialRequestOptionsJSON, twist?: Twist): AuthenticationResponseJSON
  /** A copy of it, as a thief would have: the same key, and its counter as it is now. */
  clone(): SoftwareKey
}

/** What a key is made of. */
export interface KeyMaking extends Partial<KeyFlags> {
  /** The origin that its browser shows. */
  readonly origin: string
  /** False: its counter stays at 0, as that of synced passkeys. Default: true */
  readonly counts?: boolean
  readonly transports?: AuthenticatorTransport[]
}

const DEFAULT_FLAGS: KeyFlags = {
  present: true,
  verified: false,
  backupEligible: false,
  backedUp: false,
}

/** A new security key, plugged into a browser that shows a page of this origin. */
export function softwareKey(making: KeyMaking): SoftwareKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return keyOf(making, privateKey, randomBytes(16).toString('base64url'), 0)
}

function keyOf(
  making: KeyMaking,
  privateKey: KeyObject,
  credentialId: string,
  startsAt: number,
): SoftwareKey {
  const { origin, counts = true, transports = ['usb'] } = making
  const flagsOf = (twist: Twist): KeyFlags => ({ ...DEFAULT_FLAGS, ...making, ...twist })
  let [counter, handle] = [startsAt, '']
  const count = ({ counter: said }: Twist): number => {
    if (counts) counter += 1
    return said ?? counter
  }
  const key: SoftwareKey = {
    credentialId,
    privateKey,
    get counter() {
      return counter
    },
    register({ challenge, rp, user }, twist = {}) {
      handle = user.id
      const clientData = clientDataOf('webauthn.create', challenge, origin, twist)
      const id = twist.credentialId ?? credentialId
      const data = Buffer.concat([
        authenticatorData(twist.rpId ?? rp.id ?? '', flagsOf(twist), count(twist), true),
        attested(id, coseKey(privateKey)),
      ])
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        authenticatorAttachment: 'cross-platform',
        response: {
          clientDataJSON: clientData.toString('base64url'),
          attestationObject: attestationObject(data).toString('base64url'),
          transports,
        },
      }
    },
    sign({ challenge, rpId }, twist = {}) {
      const clientData = clientDataOf('webauthn.get', challenge, origin, twist)
      const data = authenticatorData(twist.rpId ?? rpId ?? '', flagsOf(twist), count(twist), false)
      const signed = Buffer.concat([data, createHash('sha256').update(clientData).digest()])
      const id = twist.credentialId ?? credentialId
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        authenticatorAttachment: 'cross-platform',
        response: {
          clientDataJSON: clientData.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: sign('sha256', signed, twist.signedBy?.privateKey ?? privateKey).toString(
            'base64url',
          ),
          userHandle: twist.userHandle ?? handle,
        },
      }
    },
    clone: () => keyOf(making, privateKey, credentialId, counter),
  }
  return key
}

function clientDataOf(type: string, challenge: string, origin: string, twist: Twist): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: twist.type ?? type,
      challenge: twist.challenge ?? challenge,
      origin: twist.origin ?? origin,
      crossOrigin: twist.crossOrigin ?? false,
    }),
  )
}

/** WebAuthn Level 3, §6.1. */
function authenticatorData(
  rpId: string,
  flags: KeyFlags,
  counter: number,
  hasCredential: boolean,
): Buffer {
  const bits =
    (flags.present ? 0x01 : 0) |
    (flags.verified ? 0x04 : 0) |
    (flags.backupEligible ? 0x08 : 0) |
    (flags.backedUp ? 0x10 : 0) |
    (hasCredential ? 0x40 : 0)
  const tail = Buffer.alloc(5)
  tail.writeUInt8(bits, 0)
  tail.writeUInt32BE(counter, 1)
  return Buffer.concat([createHash('sha256').update(rpId).digest(), tail])
}

/** WebAuthn Level 3, §6.5.1: no model (AAGUID of zeros), the id and its length, the public key. */
function attested(credentialId: string, publicKey: Buffer): Buffer {
  const id = Buffer.from(credentialId, 'base64url')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(id.length)
  return Buffer.concat([Buffer.alloc(16), length, id, publicKey])
}

/** RFC 9052 and RFC 9053: an EC2 key (1: 2) for ES256 (3: -7) on P-256 (-1: 1), with x and y. */
function coseKey(privateKey: KeyObject): Buffer {
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' })
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
    cborBytes(Buffer.from(x, 'base64url')),
    Buffer.from([0x22]),
    cborBytes(Buffer.from(y, 'base64url')),
  ])
}

/** WebAuthn Level 3, §6.5.4 and §8.7: a map of three, `fmt` is "none". */
function attestationObject(data: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0xa3]),
    cborText('fmt'),
    cborText('none'),
    cborText('attStmt'),
    Buffer.from([0xa0]),
    cborText('authData'),
    cborBytes(data),
  ])
}

function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)])
}

/** RFC 8949: byte strings of up to 65,535 bytes. */
function cborBytes(bytes: Buffer): Buffer {
  const { length } = bytes
  const head =
    length < 24
      ? [0x40 + length]
      : length < 256
        ? [0x58, length]
        : [0x59, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), bytes])
}
