import type { Request } from 'express'
import { Strategy } from 'passport'
import type { Generation, Method } from '../../domain/stamp.js'
import type { FactorMethod } from '../../factors/factors.js'
import type { Account } from '../../service/accounts.js'
import { detailOf, PROBLEM_STATUS, type Problem } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import { readBody } from '../request/body.js'
import { isCrossOrigin } from '../request/cross-origin.js'
import { languagesOf } from '../request/negotiation.js'
import { putInCharge } from '../request/passport.js'
import type { Site } from '../request/site.js'
import {
  guardStateAt,
  guardStateOf,
  knownGuardStateOf,
  type PendingVisitor,
} from '../request/visitor.js'
import { pendingCode } from '../routing/requirements.js'
import { visitorNow } from '../routing/rules-of-now.js'
import { byProof } from './by-proof.js'
import { accountOfPending } from './finish-login.js'

/** What `passport.authenticate('second-step', callback)` gets as `info` when the code is refused. */
export interface SecondStepFailure {
  readonly code: Problem['code']
  /** In the visitor's language. */
  readonly message: string
  readonly next?: string
  /** Of `stronger-factor-required`: the methods that count. */
  readonly accepts?: readonly FactorMethod[]
  /** Of `malformed-request`: the name of the field; null: the body as a whole. */
  readonly field?: string | null
  /** Seconds. */
  readonly retryAfter?: number
  /**
   * Wrong codes that this pending login may still have, or after which the authenticators are locked,
   * whichever are fewer. 0: this code has locked them, and a backup code works; then those that this
   * login allows. Absent after the login's last.
   */
  readonly triesLeft?: number
  /** Until then no code of the authenticator is checked. A backup code still works. */
  readonly blockedUntil?: Date
}

interface Passed {
  readonly account: Account<Express.User>
  readonly visitor: PendingVisitor
  readonly given: Generation
  readonly method: Method
}

type Outcome = Passed | { readonly problem: Problem }

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
    const isAnswered = req.res === undefined ? () => false : answeredSince(req.res)
    this.outcome(req, isAnswered)
      .then(
        (outcome) => {
          // By the host, with its own time-out for example: nothing is left to go on with.
          if (outcome === null || isAnswered()) return
          if ('problem' in outcome) this.refuse(req, outcome.problem)
          else this.succeed(req, outcome)
        },
        (error: unknown) => {
          if (isAnswered()) this.site.failureReporter.report(error)
          else this.error(error as Error)
        },
      )
      // If the host's callback throws, it must not be called again with that error.
      .catch((error: unknown) => knownGuardStateOf(req)?.next(error))
  }

  /** @returns null where the host has answered before the body was there */
  private async outcome(req: Request, isAnswered: () => boolean): Promise<Outcome | null> {
    const { site } = this
    if (isCrossOrigin(req, site)) return { problem: { code: 'cross-origin' } }
    const met = pendingCode(site, req, guardStateAt(site, req).visitor)
    if ('code' in met) return { problem: met }
    const unread = req.res === undefined ? null : await readBody(req, req.res)
    if (isAnswered()) return null
    if (unread !== null) return { problem: unread }
    const visitor = await visitorNow(site, req, met, pendingCode)
    if ('code' in visitor) return { problem: visitor }

    const account = await accountOfPending(site, req, visitor)
    if (account === undefined) return { problem: { code: 'sign-in-again' } }
    const outcome = await byProof({ site, req, visitor }, (code) => site.challenge.answer(code))
    if ('done' in outcome) {
      return { account, visitor, given: outcome.done, method: outcome.done.method }
    }
    const over = outcome.problem.code === 'not-enrolled'
    return { problem: over ? { code: 'sign-in-again' } : outcome.problem }
  }

  private succeed(req: Request, { account, visitor, given, method }: Passed): void {
    const { passport } = visitor.pending
    const owner = { userId: account.id, instance: passport.instance }
    const stamp = this.site.sessions.stamp(owner, given, method)
    const state = guardStateOf(req)
    state.passed = { account, stamp }
    state.cameWith = [...state.cameWith, state.passed]
    const instance = this.site.passports[passport.instance]
    if (instance !== undefined) putInCharge(req, instance)
    this.success(account.user)
  }

  private refuse(req: Request, problem: Problem): void {
    const { t } = this.site.messages.for(languagesOf(this.site, req))
    const { code, next, accepts, field, retryAfter, triesLeft, blockedUntil } = problem
    if (retryAfter !== undefined) req.res?.set('Retry-After', String(retryAfter))
    const failure: SecondStepFailure = {
      code,
      message: detailOf(problem, t),
      ...(next === undefined ? {} : { next }),
      ...(accepts === undefined ? {} : { accepts }),
      ...(field === undefined ? {} : { field }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(triesLeft === undefined ? {} : { triesLeft }),
      ...(blockedUntil === undefined ? {} : { blockedUntil }),
    }
    this.fail(failure, problem.status ?? PROBLEM_STATUS[code])
  }
}
