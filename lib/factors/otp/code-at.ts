import { createHmac } from 'node:crypto'
import type { OtpParameters } from './parameters.js'

/** 112 bits (ASVS 6.5.2). A shorter secret can be guessed, and anybody knows the empty one. */
const SHORTEST_SECRET = 14

/**
 * The code of one counter (RFC 4226 §5.3), which for TOTP is the time step (RFC 6238 §4.2). Here and not by
 * otplib, whose hashes are JavaScript: a login asks for several codes, and each took four times as long.
 *
 * @throws RangeError for a secret of less than 112 bits, and a counter that is no whole number from 0
 */
export function codeAt(
  counter: number,
  secret: Uint8Array,
  { algorithm, digits }: Pick<OtpParameters, 'algorithm' | 'digits'>,
): string {
  if (secret.length < SHORTEST_SECRET) throw new RangeError('a secret of less than 112 bits')
  if (!Number.isSafeInteger(counter) || counter < 0) throw new RangeError('no counter')
  const message = Buffer.alloc(8)
  message.writeUInt32BE(Math.floor(counter / 2 ** 32), 0)
  message.writeUInt32BE(counter % 2 ** 32, 4)
  const mac = createHmac(algorithm, secret).update(message).digest()
  // RFC 4226 §5.3: the last four bits say where the code is taken from.
  const at = mac.readUInt8(mac.length - 1) & 15
  const number = mac.readUInt32BE(at) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}
