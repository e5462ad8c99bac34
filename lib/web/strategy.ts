import type { Request } from 'express'
import { Strategy } from 'passport'
import { readBody } from './body.js'
import { codeAttempt } from './code-attempt.js'
import { codeField } from './code-field.js'
import { isCrossOrigin } from './cross-origin.js'
import { languagesOf } from './faces.js'
import { userOfPending } from './finish-login.js'
import { pendingCode } from './needs.js'
import { putInCharge } from './passport.js'
import { PROBLEM_STATUS, type Problem } from './problem.js'
import type { Site } from './site.js'
import { guardedStateOf, type PendingVisitor } from './visitor.js'

/** What `passport.authenticate('second-step', callback)` gets as `info` when the code is refused. */
export interface SecondStepFailure {
  readonly code: Problem['code']
  /** In the visitor's language. */
  readonly message: string
  readonly next?: string
  /** Seconds. */
  readonly retryAfter?: number
}

/**
 * The second step as a Passport strategy, for hosts that draw their own challenge page: reads `code`
 * from the body and goes through the same service as the router. On success Passport calls
 * `req.logIn`, and the gate lets it through once.
 */
export class SecondStepStrategy extends Strategy {
  override readonly name = 'second-step'
  // Not `#site`: Passport calls Object.create(strategy), which has no private members.
  private readonly site: Site

  constructor(site: Site) {
    super()
    this.site = site
  }

  override authenticate(req: Request): void {
    this.answer(req).catch((error: unknown) => this.error(error as Error))
  }

  private async answer(req: Request): Promise<void> {
    const { site } = this
    if (isCrossOrigin(req, site)) return this.refuse(req, { code: 'cross-origin' })
    const state = guardedStateOf(req)
    const visitor = pendingCode(site, req, state.visitor)
    if ('code' in visitor) return this.refuse(req, visitor)
    const unread = req.res === undefined ? null : await readBody(req, req.res)
    if (unread !== null) return this.refuse(req, unread)
    await this.check(req, visitor)
  }

  private async check(req: Request, visitor: PendingVisitor): Promise<void> {
    const { site } = this
    const code = codeField(req)
    if (code === null) return this.refuse(req, { code: 'malformed-request' })
    const user = await userOfPending(site, req, visitor)
    if (user === undefined) return this.refuse(req, { code: 'sign-in-again' })

    const attempt = codeAttempt({ site, req, visitor }, code)
    const answer = await site.challenge.answer(attempt)
    if (answer.kind === 'not-enrolled') return this.refuse(req, { code: 'sign-in-again' })
    if (answer.kind === 'too-many-attempts') {
      const { kind, retryAfter } = answer
      return this.refuse(req, { code: kind, retryAfter })
    }
    if (answer.kind !== 'accepted') return this.refuse(req, { code: answer.kind })

    const { userId } = visitor.pending
    const stamp = site.sessions.stamp(userId, answer.epoch, answer.method)
    guardedStateOf(req).passed = { userId, stamp }
    const passport = site.passports[visitor.pending.passport.instance]
    if (passport !== undefined) putInCharge(req, passport)
    this.success(user)
  }

  private refuse(req: Request, problem: Problem): void {
    const { t } = this.site.messages.for(languagesOf(this.site, req))
    const { code, next, retryAfter } = problem
    if (retryAfter !== undefined) req.res?.set('Retry-After', String(retryAfter))
    const failure: SecondStepFailure = {
      code,
      message: t(`problem.${code}`),
      ...(next === undefined ? {} : { next }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    }
    this.fail(failure, problem.status ?? PROBLEM_STATUS[code])
  }
}
