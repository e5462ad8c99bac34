import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import type { FileFault } from './entry.js'
import type { XmlElement } from './xml-elements.js'

/** How a container's values are encrypted, as its own children tell it. */
export interface Protection {
  /** The key that the operator has given, or null. */
  readonly key: Uint8Array | null
  /** The operator or the container says that seeds are encrypted: a plain one is somebody else's. */
  readonly isExpected: boolean
  /** The container names a key, and derives it from nothing. */
  readonly isPreShared: boolean
  readonly mac: { readonly hash: string; readonly key: Uint8Array } | FileFault
}

const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly keyLength: number }> = new Map(
  [
    ['http://www.w3.org/2001/04/xmlenc#aes128-cbc', { name: 'aes-128-cbc', keyLength: 16 }],
    ['http://www.w3.org/2001/04/xmlenc#aes256-cbc', { name: 'aes-256-cbc', keyLength: 32 }],
  ],
)
const BLOCK = 16

const MACS: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2000/09/xmldsig#hmac-sha1', 'sha1'],
  ['http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#hmac-sha384', 'sha384'],
  ['http://www.w3.org/2001/04/xmldsig-more#hmac-sha512', 'sha512'],
])

export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name)
}

/** The text of a child without blanks around it, or empty. */
export function textOf(element: XmlElement | undefined, name: string): string {
  return childOf(element, name)?.text.trim() ?? ''
}

/** A container before it has said anything of encryption. */
export function unprotected(key: Uint8Array | null): Protection {
  return { key, isExpected: key !== null, isPreShared: false, mac: 'mac-missing' }
}

/** RFC 6030 §6.1: a key that both sides know, by its name. Derived and public keys are others. */
export function withEncryptionKey(before: Protection, element: XmlElement): Protection {
  const isPreShared = element.children.every(({ name }) => name === 'KeyName')
  return { ...before, isExpected: true, isPreShared }
}

/** RFC 6030 §6.1.1. Without a key of its own, MACs are made with the key of the encryption. */
export function withMacMethod(given: Protection, element: XmlElement): Protection {
  const before = { ...given, isExpected: true }
  const hash = MACS.get(element.attributes.Algorithm ?? '')
  if (hash === undefined) return { ...before, mac: 'mac-unknown' }
  const encrypted = childOf(element, 'MACKey')
  const key = encrypted === undefined ? before.key : decrypted(encrypted, before)
  if (key === null) return { ...before, mac: 'no-key' }
  return { ...before, mac: typeof key === 'string' ? key : { hash, key } }
}

/** A value of bytes, plain or encrypted. The MAC is checked before anything is decrypted. */
export function bytesOf(value: XmlElement, protection: Protection): Uint8Array | FileFault {
  const mac = childOf(value, 'ValueMAC')
  const encrypted = childOf(value, 'EncryptedValue')
  if (encrypted === undefined) {
    if (protection.isExpected) return 'plain-seed'
    // A MAC is made over what is encrypted: one of a plain value cannot be checked.
    return mac === undefined ? fromBase64(textOf(value, 'PlainValue')) : 'mac-wrong'
  }
  const cipher = cipherOf(encrypted, protection)
  if (typeof cipher === 'string') return cipher
  if (mac === undefined) return 'mac-missing'
  if (typeof protection.mac === 'string') return protection.mac
  const bytes = cipherValue(encrypted)
  const declared = fromBase64(mac.text)
  if (typeof bytes === 'string') return bytes
  const { hash, key } = protection.mac
  const computed = createHmac(hash, key).update(bytes).digest()
  if (typeof declared === 'string' || declared.length !== computed.length) return 'mac-wrong'
  return timingSafeEqual(computed, declared) ? decrypted(encrypted, protection) : 'mac-wrong'
}

function decrypted(element: XmlElement, protection: Protection): Uint8Array | FileFault {
  const cipher = cipherOf(element, protection)
  if (typeof cipher === 'string') return cipher
  const bytes = cipherValue(element)
  if (typeof bytes === 'string') return bytes
  if (bytes.length < 2 * BLOCK || bytes.length % BLOCK !== 0) return 'padding'
  const decipher = createDecipheriv(cipher.name, cipher.key, bytes.subarray(0, BLOCK))
  decipher.setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(bytes.subarray(BLOCK)), decipher.final()])
  // XML Encryption §5.2: the last byte tells how many there are, the others may be anything.
  const padding = padded.at(-1) ?? 0
  if (padding < 1 || padding > BLOCK) return 'padding'
  return padded.subarray(0, padded.length - padding)
}

function cipherOf(
  element: XmlElement,
  { key, isPreShared }: Protection,
): { readonly name: string; readonly key: Uint8Array } | FileFault {
  const method = childOf(element, 'EncryptionMethod')
  const cipher = CIPHERS.get(method?.attributes.Algorithm ?? '')
  if (cipher === undefined || !isPreShared) return 'encryption'
  if (key === null) return 'no-key'
  return key.length === cipher.keyLength ? { name: cipher.name, key } : 'key-size'
}

function cipherValue(element: XmlElement): Uint8Array | FileFault {
  return fromBase64(textOf(childOf(element, 'CipherData'), 'CipherValue'))
}

function fromBase64(text: string): Uint8Array | FileFault {
  const plain = text.replace(/\s/g, '')
  const bytes = Buffer.from(plain, 'base64')
  return bytes.toString('base64') === plain ? bytes : 'not-base64'
}
