import type { SpareFactor } from '../factor.js'
import { readLookUpCode } from '../look-up-code.js'
import { answerOneTimeCode } from './answer.js'
import { isOneTimeCodes, type OneTimeCode } from './kept.js'

/**
 * One-time codes, made by an admin for one login each. They sign nobody in: they open the set-up in
 * that pending login. They work while authenticators are locked (Teleport RFD 158).
 */
export const oneTimeCodes: SpareFactor<'one-time-code', readonly OneTimeCode[], string> = {
  method: 'one-time-code',
  role: 'spare',
  misses: 'uncounted',
  opens: 'setup',
  amr: ['otp'],
  keptAs: 'oneTimeCodes',
  isKept: isOneTimeCodes,
  read: readLookUpCode,
  answer: answerOneTimeCode,
  refusal: ({ pending, oneTimeCodes: made }) => (pending && made ? null : 'not-enrolled'),
}
