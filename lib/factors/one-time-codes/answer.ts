import type { FactorAnswer, Moment } from '../factor.js'
import type { OneTimeCode } from './kept.js'
import { judgeOneTimeCode } from './verdict.js'

/** Judges a one-time code. Its digests show which of the open codes it is. */
export async function answerOneTimeCode(
  codes: readonly OneTimeCode[],
  code: string,
  { now, keys }: Moment,
): Promise<FactorAnswer<readonly OneTimeCode[]>> {
  const digests = await Promise.all(
    codes.map(({ id }) => keys.digests(code, { purpose: 'one-time-code', setId: id })),
  )
  return judgeOneTimeCode(codes, digests.flat(), now)
}
