import type { CodeFactor } from '../factor.js'
import { fitsOtp, readOtp } from '../otp/read.js'
import { answerHotp, resyncHotp } from './answer.js'
import { comparedFar, LOOK_AHEAD } from './far.js'
import {
  type HotpAuthenticator,
  type HotpParameters,
  isHotpAuthenticator,
  isUnprovenHotp,
  type UnprovenHotp,
} from './kept.js'
import { makeHotp, proveHotp } from './make.js'

/** Counter-based one-time passwords (RFC 4226): each press of a button gives the next one. */
export const hotp: CodeFactor<'hotp', HotpAuthenticator, string, UnprovenHotp, HotpParameters> = {
  method: 'hotp',
  role: 'main',
  misses: 'lock',
  opens: 'session',
  amr: ['otp'],
  provesClock: false,
  isKept: isHotpAuthenticator,
  read: readOtp,
  fits: fitsOtp,
  answer: answerHotp,
  resync: resyncHotp,
  canResync: () => true,
  codesAtOnce: () => LOOK_AHEAD + 1,
  comparedFar,
  // The next press of the button gives an unused code.
  nextCodeAt: () => null,
  isUnproven: isUnprovenHotp,
  make: makeHotp,
  prove: proveHotp,
}
