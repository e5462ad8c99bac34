import type { CodeFactor } from '../factor.js'
import type { OtpParameters } from '../otp/parameters.js'
import { fitsOtp, readOtp } from '../otp/read.js'
import { answerTotp } from './answer.js'
import {
  isTotpAuthenticator,
  isUnprovenTotp,
  type TotpAuthenticator,
  type UnprovenTotp,
} from './kept.js'
import { makeTotp, proveTotp } from './make.js'
import { nextTotpAt } from './page.js'
import { canResyncTotp, resyncTotp } from './resync.js'

/** Time-based one-time passwords (RFC 6238), from an authenticator app. */
export const totp: CodeFactor<'totp', TotpAuthenticator, string, UnprovenTotp, OtpParameters> = {
  method: 'totp',
  role: 'main',
  misses: 'lock',
  opens: 'session',
  amr: ['otp'],
  provesClock: true,
  isKept: isTotpAuthenticator,
  read: readOtp,
  fits: fitsOtp,
  answer: answerTotp,
  resync: resyncTotp,
  canResync: canResyncTotp,
  codesAtOnce: (window) => 2 * window + 1,
  comparedFar: () => [],
  nextCodeAt: nextTotpAt,
  isUnproven: isUnprovenTotp,
  make: makeTotp,
  prove: proveTotp,
}
