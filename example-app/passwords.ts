import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

// OWASP Password Storage Cheat Sheet, scrypt: N=2^14, r=8, p=5.
const COST: ScryptOptions = { N: 2 ** 14, r: 8, p: 5 }
const BYTES = 32

/** A password as it is stored: salt and hash. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password, salt)
  return `${salt.toString('base64')}:${hash.toString('base64')}`
}

/** Takes as long where there is no account, so that time does not tell which addresses have one. */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? '').split(':')
  const derived = await derive(password, Buffer.from(salt, 'base64'))
  const expected = Buffer.from(hash, 'base64')
  return expected.length === BYTES && timingSafeEqual(derived, expected)
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, BYTES, COST, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    )
  })
}
