import { readAddress } from '../domain/address.js'
import type { MailReset } from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import { isDigest, shortDigest } from '../factors/kept-digest.js'
import { isSameText } from '../factors/same-text.js'
import type { Digester } from '../ports/digester.js'
import type { System } from '../ports/system.js'

const BYTES_OF_A_TOKEN = 32
const BYTES_OF_AN_ID = 16
const LONGEST = 2048

/** A token that this app made. The user id says where to look, and the secret is the proof. */
export interface ReadToken {
  readonly userId: string
  readonly secret: string
}

/** A token that is spelt like one of ours; its MAC, over user and secret, says whether it is one. */
interface SpeltToken extends ReadToken {
  readonly mac: string
}

/** Null for any other spelling of a token, and for any other text. */
function readToken(token: string): SpeltToken | null {
  if (token.length > LONGEST) return null
  const [user = '', secret = '', mac = ''] = token.split('.')
  const userId = Buffer.from(user, 'base64url').toString('utf8')
  const whole = userId !== '' && lengthOf(secret) === BYTES_OF_A_TOKEN && lengthOf(mac) > 0
  const read = { userId, secret: respelt(secret), mac: respelt(mac) }
  return whole && writeToken(read) === token ? read : null
}

function writeToken({ userId, secret, mac }: SpeltToken): string {
  return [Buffer.from(userId, 'utf8').toString('base64url'), secret, mac].join('.')
}

function lengthOf(part: string): number {
  return Buffer.from(part, 'base64url').length
}

/** Node decodes many spellings of the same bytes. Only the canonical one is a token. */
function respelt(part: string): string {
  return Buffer.from(part, 'base64url').toString('base64url')
}

type Owner = Pick<SecondStepRecord, 'userId' | 'epoch'>
type Bound = Pick<MailReset, 'id' | 'addressDigest'>
type Keyed = Pick<MailReset, 'id' | 'addressDigest' | 'keyId'>

/** Whether a user's address is the one that a reset was asked for, as far as can be told. */
export type AddressOfReset = 'same' | 'moved' | 'unknown'

/** Makes and recognises the tokens of resets by mail. The store holds only their digests. */
export class MailResetTokens {
  readonly #digester: Digester
  readonly #system: System

  constructor(parts: { digester: Digester; system: System }) {
    this.#digester = parts.digester
    this.#system = parts.system
  }

  /** Id of the key for the digests of a new reset. */
  get keyId(): string {
    return this.#digester.keyIds[0]
  }

  /** The id of a new reset. */
  newId(): string {
    return Buffer.from(this.#system.random(BYTES_OF_AN_ID)).toString('base64url')
  }

  /** A new token of this user's, whole as the mail has it. */
  async newToken(userId: string): Promise<ReadToken & { readonly token: string }> {
    const secret = Buffer.from(this.#system.random(BYTES_OF_A_TOKEN)).toString('base64url')
    const [mac] = await this.#macs({ userId, secret })
    return { userId, secret, token: writeToken({ userId, secret, mac }) }
  }

  /**
   * Reads a token. Null if it was not made here. Checks this without looking the user up, because
   * the time of a look-up would tell a stranger about the account (promise 4).
   */
  async read(token: string): Promise<ReadToken | null> {
    const spelt = readToken(token)
    if (spelt === null) return null
    const { userId, secret, mac } = spelt
    const macs = await this.#macs({ userId, secret })
    const isMac = (one: string) => isSameText(one, mac) || isSameText(one, shortDigest(mac))
    return macs.some(isMac) ? { userId, secret } : null
  }

  /** Under a set of its own: the MAC in the mail says nothing of the digest that is kept. */
  #macs({ userId, secret }: ReadToken) {
    const setId = JSON.stringify(['link'])
    return this.#digester.digests(secret, { ...ofUser(userId), setId })
  }

  /** Digests of a token's secret for this reset, in this epoch and for this address. */
  digests(secret: string, { userId, epoch }: Owner, { id, addressDigest }: Bound) {
    const setId = JSON.stringify(['token', id, epoch, addressDigest])
    return this.#digester.digests(secret, { ...ofUser(userId), setId })
  }

  /** Digests of the address on record, for this reset. */
  addressDigests(address: string, userId: string, id: string) {
    const setId = JSON.stringify(['address', id])
    return this.#digester.digests(address, { ...ofUser(userId), setId })
  }

  /** Whether an address is still the one that the reset was asked for. */
  async isFor(email: string | null, userId: string, reset: Bound): Promise<boolean> {
    const address = readAddress(email ?? undefined)
    if (address === null) return false
    const digests = await this.addressDigests(address, userId, reset.id)
    return isDigest(reset.addressDigest, digests)
  }

  /** The same. `unknown`: the key of its digests is not in the ring, so no address can be compared. */
  async addressOf(email: string | null, userId: string, reset: Keyed): Promise<AddressOfReset> {
    if (await this.isFor(email, userId, reset)) return 'same'
    const { keyId } = reset
    const compared = keyId === null || this.#digester.keyIds.includes(keyId)
    return compared || readAddress(email ?? undefined) === null ? 'moved' : 'unknown'
  }
}

function ofUser(userId: string) {
  return { purpose: 'mail-reset', userId } as const
}
