import { readAddress } from '../domain/address.js'
import type { MailReset } from '../domain/mail-reset.js'
import type { SecondStepRecord } from '../domain/record.js'
import type { Digester } from '../ports/digester.js'
import type { System } from '../ports/system.js'
import { within } from '../ports/within.js'

const BYTES_OF_A_TOKEN = 32
const BYTES_OF_AN_ID = 16
const LONGEST = 2048
const PART = 'the key ring'

/** A token that looks like one of ours: the user says where to look, the secret is what counts. */
export interface ReadToken {
  readonly userId: string
  readonly secret: string
}

/** Reads a token; null for every other spelling of one, and for whatever else it may be. */
export function readToken(token: string): ReadToken | null {
  if (token.length > LONGEST) return null
  const [user = '', secret = '', ...rest] = token.split('.')
  const userId = Buffer.from(user, 'base64url').toString('utf8')
  const bytes = Buffer.from(secret, 'base64url')
  const whole = rest.length === 0 && userId !== '' && bytes.length === BYTES_OF_A_TOKEN
  return whole && writeToken(userId, bytes) === token ? { userId, secret } : null
}

function writeToken(userId: string, secret: Uint8Array): string {
  const parts = [Buffer.from(userId, 'utf8'), Buffer.from(secret)]
  return parts.map((part) => part.toString('base64url')).join('.')
}

type Owner = Pick<SecondStepRecord, 'userId' | 'epoch'>
type Bound = Pick<MailReset, 'id' | 'addressDigest'>

/** Makes and knows the tokens of resets by mail. Only their digests are kept. */
export class MailResetTokens {
  readonly #digester: Digester
  readonly #system: System

  constructor(parts: { digester: Digester; system: System }) {
    this.#digester = parts.digester
    this.#system = parts.system
  }

  /** The id of a reset that begins. */
  newId(): string {
    return Buffer.from(this.#system.random(BYTES_OF_AN_ID)).toString('base64url')
  }

  /** A new token of this user's, whole as the mail has it. */
  newToken(userId: string): ReadToken & { readonly token: string } {
    const bytes = this.#system.random(BYTES_OF_A_TOKEN)
    const secret = Buffer.from(bytes).toString('base64url')
    return { userId, secret, token: writeToken(userId, bytes) }
  }

  /** Digests of a token's secret for this reset, in this epoch and for this address. */
  digests(secret: string, { userId, epoch }: Owner, { id, addressDigest }: Bound) {
    const setId = JSON.stringify(['token', id, epoch, addressDigest])
    return within(PART, () => this.#digester.digests(secret, { ...ofUser(userId), setId }))
  }

  /** Digests of the address on record, for this reset. */
  addressDigests(address: string, userId: string, id: string) {
    const setId = JSON.stringify(['address', id])
    return within(PART, () => this.#digester.digests(address, { ...ofUser(userId), setId }))
  }

  /** Whether an address is still the one that the reset was asked for. */
  async isFor(email: string | null, userId: string, reset: Bound): Promise<boolean> {
    const address = readAddress(email ?? undefined)
    if (address === null) return false
    const digests = await this.addressDigests(address, userId, reset.id)
    return digests.includes(reset.addressDigest)
  }
}

function ofUser(userId: string) {
  return { purpose: 'mail-reset', userId } as const
}
