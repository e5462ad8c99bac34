import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

const BYTES = 32

/**
 * The cost of scrypt, as the binary logarithm of its N.
 * OWASP Password Storage Cheat Sheet: N=2^14, r=8, p=5.
 */
export const SAFE_COST = 14

/** Stores and checks passwords. */
export interface Passwords {
  /** A password as it is stored: salt and hash. */
  hash(password: string): Promise<string>
  /** Takes as long where there is no account, so that time does not tell which addresses have one. */
  matches(password: string, stored: string | null): Promise<boolean>
}

/** @param cost the same for all processes that share accounts */
export function scryptPasswords(cost: number): Passwords {
  const options: ScryptOptions = { N: 2 ** cost, r: 8, p: 5 }
  const derive = (password: string, salt: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      scrypt(password.normalize('NFKC'), salt, BYTES, options, (error, hash) =>
        error === null ? resolve(hash) : reject(error),
      )
    })
  return {
    async hash(password) {
      const salt = randomBytes(16)
      const hash = await derive(password, salt)
      return `${salt.toString('base64')}:${hash.toString('base64')}`
    },
    async matches(password, stored) {
      const [salt = '', hash = ''] = (stored ?? '').split(':')
      const derived = await derive(password, Buffer.from(salt, 'base64'))
      const expected = Buffer.from(hash, 'base64')
      return expected.length === BYTES && timingSafeEqual(derived, expected)
    },
  }
}
