import { createHmac } from 'node:crypto'
import type { OtpParameters } from './kept.js'

/** 112 bits (ASVS 6.5.2). A shorter secret can be guessed, and anybody knows the empty one. */
export const SHORTEST_SECRET = 14

/**
 * The code of one time step (RFC 6238 §4.2: HOTP with the step as counter). Here and not by otplib, whose
 * hashes are JavaScript: a login asks for several codes, and each took four times as long.
 *
 * @throws RangeError for a secret of less than 112 bits, and a step that is no whole number from 0
 */
export function codeAt(
  step: number,
  secret: Uint8Array,
  { algorithm, digits }: Pick<OtpParameters, 'algorithm' | 'digits'>,
): string {
  if (secret.length < SHORTEST_SECRET) throw new RangeError('a secret of less than 112 bits')
  if (!Number.isSafeInteger(step) || step < 0) throw new RangeError('no step')
  const counter = Buffer.alloc(8)
  counter.writeUInt32BE(Math.floor(step / 2 ** 32), 0)
  counter.writeUInt32BE(step % 2 ** 32, 4)
  const mac = createHmac(algorithm, secret).update(counter).digest()
  // RFC 4226 §5.3: the last four bits say where the code is taken from.
  const at = mac.readUInt8(mac.length - 1) & 15
  const number = mac.readUInt32BE(at) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}
