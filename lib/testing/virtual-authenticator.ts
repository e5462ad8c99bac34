import { checkNoOptions } from '../errors/check-call.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { codeAt } from '../factors/otp/code-at.js'
import type { OtpParameters } from '../factors/otp/parameters.js'

/** An authenticator app for tests, or a device with a button (`otpauth://hotp/`). */
export interface VirtualAuthenticator {
  /**
   * The code that the app shows. Of a device with a button: of the last press, or the first one.
   *
   * @param at a Date or milliseconds since 1970. Default: now
   */
  code(at?: Date | number): string
  /**
   * A code that neither `next` nor `code` has given before: the current one or, within the same 30
   * seconds, a later one. The server accepts one step ahead of the last one, up to three in all, so that
   * two calls in a row are good for a set-up and the login after it.
   *
   * @param at as for `code`, where the test moves the clock. Default: now
   */
  next(at?: Date | number): string
}

interface Scanned {
  readonly secret: Uint8Array
  readonly parameters: OtpParameters
  /** Of the next code; null: codes by the time. */
  readonly counter: number | null
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * Scans the QR code's address, or takes the key as the set-up page shows it, blanks and all.
 *
 * @throws ConfigurationError for what is no text, Error for a text that is neither
 */
export function virtualAuthenticator(uriOrSecret: string, ...none: never[]): VirtualAuthenticator {
  checkNoOptions(none, 'virtualAuthenticator(uriOrKey)')
  if (typeof uriOrSecret !== 'string') {
    throw new ConfigurationError(
      'virtualAuthenticator() needs a text: the otpauth: address, or the key as the set-up page shows it',
    )
  }
  const { secret, parameters, counter } = scan(uriOrSecret)
  if (counter !== null) return withButton(counter, (at) => codeAt(at, secret, parameters))
  const stepAt = (at: number) => Math.floor(at / 1000 / parameters.period)
  const given = new Set<number>()
  const give = (step: number) => {
    given.add(step)
    return codeAt(step, secret, parameters)
  }
  return {
    code: (at = Date.now()) => give(stepAt(Number(at))),
    next(at = Date.now()) {
      let step = stepAt(Number(at))
      while (given.has(step)) step += 1
      return give(step)
    },
  }
}

/** Each `next` presses the button. */
function withButton(first: number, codeOf: (counter: number) => string): VirtualAuthenticator {
  let counter = first - 1
  const press = () => {
    counter += 1
    return codeOf(counter)
  }
  return { code: () => (counter < first ? press() : codeOf(counter)), next: press }
}

function scan(text: string): Scanned {
  const query = /^otpauth:\/\/[th]otp\//.test(text) ? new URL(text).searchParams : null
  const counter = text.startsWith('otpauth://hotp/') ? Number(query?.get('counter') ?? '') : null
  const algorithm = (query?.get('algorithm') ?? 'sha1').toLowerCase()
  const digits = Number(query?.get('digits') ?? 6)
  const period = Number(query?.get('period') ?? 30)
  if (algorithm !== 'sha1' && algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new Error(`an authenticator knows no algorithm ${algorithm}`)
  }
  if (digits !== 6 && digits !== 7 && digits !== 8) throw new Error('codes have 6 to 8 digits')
  if (!(period > 0)) throw new Error('the period is a number of seconds')
  if (counter !== null && !(query?.has('counter') && Number.isSafeInteger(counter) && counter >= 0))
    throw new Error('the counter is a whole number from 0')
  const secret = fromBase32(query === null ? text : (query.get('secret') ?? ''))
  return { secret, parameters: { algorithm, digits, period }, counter }
}

function fromBase32(text: string): Uint8Array {
  const characters = text.replace(/[\s-]/g, '').replace(/=+$/, '').toUpperCase()
  if (!/^[A-Z2-7]+$/.test(characters)) throw new Error('neither an otpauth: address nor a key')
  const bits = [...characters].map((one) => BASE32.indexOf(one).toString(2).padStart(5, '0'))
  const bytes = bits.join('').match(/.{8}/g) ?? []
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2))
}
