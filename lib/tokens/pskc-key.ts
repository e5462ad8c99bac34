import { readHardwareToken } from '../factors/hardware-token.js'
import { type FileFault, faultAt, type TokenEntry } from './entry.js'
import { bytesOf, childOf, type Protection, textOf } from './pskc-values.js'
import type { XmlElement } from './xml-elements.js'

/** RFC 6030 §10.1, with the names of the drafts that devices are still delivered with. */
const TYPE = /\bpskc[:#](hotp|totp)$/i
/** `UID=jsmith,DC=example-bank,DC=net` (RFC 4514) is the user `jsmith`. */
const UID = /^UID=([^,+="\\;<>]+)(?:,|$)/i

/** The token of a `KeyPackage` (RFC 6030 §4). */
export function tokenOfPackage(
  element: XmlElement,
  protection: Protection,
  now: number,
): TokenEntry {
  const { line, children } = element
  const keys = children.filter(({ name }) => name === 'Key')
  const [key] = keys
  if (key === undefined || keys.length > 1) return faultAt(line, 'not-one-key')
  const device = childOf(element, 'DeviceInfo')
  const policy = childOf(key, 'Policy')
  const fault =
    faultOfDates(device, now) ??
    faultOfDates(policy, now) ??
    faultOfPolicy(policy) ??
    faultOfFormat(key)
  if (fault !== null) return faultAt(line, fault)
  const data = childOf(key, 'Data')
  const given = childOf(data, 'Secret')
  const secret = given === undefined ? '' : bytesOf(given, protection)
  // What a value is called by is a fault; a seed is bytes.
  if (typeof secret === 'string' && secret !== '') return faultAt(line, secret)
  const [counter, period] = [plainValue(data, 'Counter'), plainValue(data, 'TimeInterval')]
  if (counter === null || period === null) return faultAt(line, 'encrypted-field')
  const parameters = childOf(key, 'AlgorithmParameters')
  const read = readHardwareToken({
    serial: textOf(device, 'SerialNo') || (key.attributes.Id ?? ''),
    type: TYPE.exec(key.attributes.Algorithm ?? '')?.[1] ?? 'other',
    secret,
    algorithm: textOf(parameters, 'Suite'),
    digits: childOf(parameters, 'ResponseFormat')?.attributes.Length ?? '',
    ...{ period, counter },
  })
  if ('why' in read) return faultAt(line, read)
  const user = textOf(key, 'UserId') || textOf(device, 'UserId')
  return { kind: 'token', line, token: read, user: (UID.exec(user)?.[1] ?? user) || null }
}

/** Of a device (RFC 6030 §4.3.1) or a key (§5). */
function faultOfDates(element: XmlElement | undefined, now: number): FileFault | null {
  for (const { name, text } of element?.children ?? []) {
    if (name !== 'StartDate' && name !== 'ExpiryDate') continue
    const date = Date.parse(text.trim())
    if (Number.isNaN(date)) return 'policy'
    if (name === 'StartDate' && date > now) return 'not-valid-yet'
    if (name === 'ExpiryDate' && date <= now) return 'expired'
  }
  return null
}

const DATES = ['StartDate', 'ExpiryDate']

/** RFC 6030 §5: whoever does not understand a policy must not use the key. */
function faultOfPolicy(policy: XmlElement | undefined): FileFault | null {
  for (const { name, attributes } of policy?.children ?? []) {
    if (name === 'PINPolicy') {
      // A PIN of the device's own keypad is no part of the codes.
      if ((attributes.PINUsageMode ?? 'Local') !== 'Local') return 'pin'
    } else if (name !== 'KeyUsage' && !DATES.includes(name)) return 'policy'
  }
  const usages = policy?.children.filter(({ name }) => name === 'KeyUsage') ?? []
  const isForCodes = usages.length === 0 || usages.some(({ text }) => text.trim() === 'OTP')
  return isForCodes ? null : 'policy'
}

function faultOfFormat(key: XmlElement): FileFault | null {
  const format = childOf(childOf(key, 'AlgorithmParameters'), 'ResponseFormat')
  const { Encoding = 'DECIMAL', CheckDigits = 'false' } = format?.attributes ?? {}
  return Encoding === 'DECIMAL' && /^(false|0)$/.test(CheckDigits) ? null : 'not-decimal'
}

/** Empty: not given. Null: it is encrypted, which only a seed may be. */
function plainValue(data: XmlElement | undefined, name: string): string | null {
  const value = childOf(data, name)
  return childOf(value, 'EncryptedValue') === undefined ? textOf(value, 'PlainValue') : null
}
