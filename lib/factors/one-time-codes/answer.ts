import type { FactorAnswer, Moment } from '../factor.js'
import { hasKey, type OneTimeCode } from './kept.js'
import { hasOpenOneTimeCode } from './page.js'
import { judgeOneTimeCode } from './verdict.js'

/** Judges a one-time code. Its digests show which of the open codes it is. */
export async function answerOneTimeCode(
  codes: readonly OneTimeCode[],
  code: string,
  { now, keys }: Moment,
): Promise<FactorAnswer<readonly OneTimeCode[]>> {
  const compared = codes.filter((one) => hasKey(one, keys.keyIds))
  const digests = await Promise.all(
    compared.map(({ id }) => keys.digests(code, { purpose: 'one-time-code', setId: id })),
  )
  const answer = judgeOneTimeCode(codes, digests.flat(), now)
  const guess = hasOpenOneTimeCode(codes, keys.keyIds, now)
  return answer.kind === 'wrong' ? { ...answer, guess } : answer
}
