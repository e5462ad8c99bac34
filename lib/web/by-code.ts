import type { CodeAnswer, CodeAttempt } from '../service/challenge.js'
import { codeAttempt } from './code-attempt.js'
import { codeField } from './code-field.js'
import type { Exchange } from './handler.js'
import { pagePath } from './page-path.js'
import { malformed, type Problem } from './problem.js'
import type { PendingVisitor, SignedInVisitor } from './visitor.js'

type Refusal = { readonly kind: 'required-by-policy' | 'switched-off' }

/** What came of an action that is asked for with a code: it was done, or a problem to answer with. */
export type ByCode<Result> =
  | { readonly done: Extract<CodeAnswer<Result>, { kind: 'accepted' }> }
  | { readonly problem: Problem }

/** Reads the field `code` and does what it was given for. */
export async function byCode<Result>(
  exchange: Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>,
  act: (attempt: CodeAttempt) => Promise<CodeAnswer<Result> | Refusal>,
): Promise<ByCode<Result>> {
  const code = codeField(exchange.req)
  if (code === null) return { problem: malformed('code') }
  const answer = await act(codeAttempt(exchange, code))
  if (answer.kind === 'accepted') return { done: answer }
  if (answer.kind === 'setup-granted') {
    const next = pagePath(exchange.site.paths, 'setup-required')
    return { problem: { code: 'setup-required', next } }
  }
  if (answer.kind === 'malformed-request') return { problem: malformed('code') }
  if (answer.kind !== 'too-many-attempts') return { problem: { code: answer.kind } }
  return { problem: { code: answer.kind, retryAfter: answer.retryAfter } }
}
