import { misfitOf } from '../../domain/proof.js'
import type { Authenticator, CodeAuthenticator, Proof } from '../../factors/factors.js'
import type { ProofAnswer, ProofAttempt } from '../../service/challenge.js'
import { malformed, type Problem } from '../../text/problem.js'
import { forgetAsked } from '../request/challenges.js'
import type { Exchange } from '../request/handler.js'
import { pagePath } from '../request/page-path.js'
import { credentialIn, proofIn } from '../request/proof-field.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
import { strongerFactor, strongerFactorOf } from '../routing/stronger-factor.js'
import {
  type Asked,
  acceptsOneTimeCodes,
  blockedText,
  malformedPairText,
  malformedText,
  wrongSpareText,
  wrongText,
} from './code-texts.js'
import { proofAttempt } from './proof-attempt.js'

/** The outcome of an action that needs a proof: done, or a problem to answer with. */
export type ByProof<Result> =
  | { readonly done: Extract<ProofAnswer<Result>, { kind: 'accepted' }> }
  | { readonly problem: Problem }

/** Reads the proof and runs the action that needs it. */
export async function byProof<Result>(
  exchange: Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>,
  act: (attempt: ProofAttempt) => Promise<ProofAnswer<Result>>,
): Promise<ByProof<Result>> {
  const proof = proofIn(exchange.req)
  if (credentialIn(exchange.req) === undefined) {
    return proof === null ? { problem: malformedCode(exchange) } : byReadProof(exchange, proof, act)
  }
  if (exchange.site.webauthn === null) return { problem: { code: 'switched-off' } }
  if (proof === null) return { problem: malformedKey() }
  const outcome = await byReadProof(exchange, proof, act)
  await forgetAsked(exchange)
  return outcome
}

/** The same with a proof that was read. */
export async function byReadProof<Result>(
  exchange: Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>,
  proof: Proof,
  act: (attempt: ProofAttempt) => Promise<ProofAnswer<Result>>,
): Promise<ByProof<Result>> {
  const answer = await act(proofAttempt(exchange, proof))
  if (answer.kind === 'accepted') return { done: answer }
  if (answer.kind === 'setup-granted') {
    const next = pagePath(exchange.site.paths, 'setup-required')
    return { problem: { code: 'setup-required', next } }
  }
  // Digits are no code of a user who has no authenticator any more, and a one-time code alone.
  if (answer.kind === 'malformed-request' && isOfKey(proof)) return { problem: malformedKey() }
  if (answer.kind === 'not-enrolled' && isOfCode(proof) && acceptsOneTimeCodes(exchange)) {
    return { problem: malformedCode(exchange) }
  }
  if (answer.kind === 'malformed-request') {
    return { problem: isPair(proof) ? malformedPair(exchange, proof) : malformedCode(exchange) }
  }
  if (answer.kind === 'stronger-factor-required') {
    const next = wayOn(exchange)
    const isOfProof = 'accepts' in answer
    return {
      problem: isOfProof
        ? strongerFactor(answer.accepts, next)
        : strongerFactorOf(exchange.visitor, next),
    }
  }
  if (answer.kind === 'wrong-code') return { problem: wrongCode(exchange, proof, answer) }
  if (answer.kind === 'switched-off' && isSpare(proof) && !exchange.visitor.policy.backupCodes) {
    return { problem: { code: answer.kind, text: { key: wrongSpareText(exchange) } } }
  }
  if (answer.kind !== 'too-many-attempts') return { problem: { code: answer.kind } }
  return { problem: tooMany(exchange, answer) }
}

/** The page where what counts can be given. */
function wayOn({ site, visitor }: Asked): string {
  const { secondStep } = site.paths
  return visitor.kind === 'pending' ? `${secondStep}/challenge` : `${secondStep}/`
}

function malformedCode(asked: Asked): Problem {
  return { ...malformed('code'), text: malformedText(asked) }
}

function malformedKey(): Problem {
  return { ...malformed('credential'), text: { key: 'factor.webauthn.malformed' } }
}

/** No backup code has a place in a pair. */
function malformedPair(asked: Asked, proof: Proof): Problem {
  const field = misfitOf(proof, asked.visitor.record)
  return { ...malformed(field), text: malformedPairText(asked) }
}

function isPair(proof: Proof): boolean {
  return proof.some(({ next }) => next !== undefined)
}

/** 24 letters and digits: no code of an authenticator. */
function isSpare(proof: Proof): boolean {
  return proof.every(({ factor }) => factor.role === 'spare')
}

type SetUp =
  | Pick<CodeAuthenticator, 'type' | 'digits'>
  | { readonly type: Exclude<Authenticator['type'], CodeAuthenticator['type']> }

/** The text for malformed input at a set-up: only a code of this authenticator is possible. */
export function malformedAtSetup(setUp: SetUp): Problem {
  if (setUp.type === 'webauthn') return malformedKey()
  const { type, digits } = setUp
  return { ...malformed('code'), text: { key: `factor.${type}.malformed`, digits: [digits] } }
}

/** A wrong code at a set-up. The advice to wait, and to check the clock, is no good for a button. */
export function wrongAtSetup(setUp: SetUp | null, clockOff: number | null): Problem {
  return {
    code: 'wrong-code',
    ...(clockOff === null ? {} : { clockOff }),
    ...(setUp === null || setUp.type === 'totp'
      ? {}
      : { text: { key: `factor.${setUp.type}.setup-wrong` } }),
  }
}

function wrongCode(
  asked: Asked,
  proof: Proof,
  { triesLeft, missesLeft }: Extract<ProofAnswer, { kind: 'wrong-code' }>,
): Problem {
  if (triesLeft === 0) return { code: 'wrong-code', text: { key: 'challenge.last-wrong-code' } }
  const locked = missesLeft === 0 && isOfDevice(proof)
  const key = locked ? blockedText(asked) : missText(asked, proof)
  return {
    code: 'wrong-code',
    ...(key === null ? {} : { text: { key } }),
    ...(triesLeft === null
      ? triesInSession(proof, missesLeft)
      : shownTries(triesLeft, missesLeft, locked)),
  }
}

function isOfDevice(proof: Proof): boolean {
  return proof.some(({ factor }) => factor.role === 'main' && factor.misses === 'lock')
}

function isOfKey(proof: Proof): boolean {
  return proof.some(({ factor }) => factor.role === 'main' && factor.misses === 'uncounted')
}

/** One code, of whatever kind. */
function isOfCode(proof: Proof): boolean {
  return !isPair(proof) && !isOfKey(proof)
}

/** A session has no tries of its own, and no backup code locks: only pages say how many codes are left. */
function triesInSession(proof: Proof, missesLeft: number) {
  return isOfDevice(proof) ? { triesLeft: missesLeft, lastLocks: true } : {}
}

/** @param locks whether it is this code that has locked the authenticators */
function shownTries(triesLeft: number, missesLeft: number, locks: boolean) {
  // They were locked before: a backup code still has the tries of the login.
  if (missesLeft === 0 && !locks) return { triesLeft, lastLocks: false }
  return { triesLeft: Math.min(triesLeft, missesLeft), lastLocks: missesLeft <= triesLeft }
}

function missText(asked: Asked, proof: Proof) {
  if (isPair(proof)) return 'resync.wrong'
  if (isOfKey(proof)) return 'factor.webauthn.wrong'
  return isSpare(proof) ? wrongSpareText(asked) : wrongText(asked.visitor)
}

function tooMany(
  asked: Asked,
  { retryAfter, blockedUntil, enoughToday }: Extract<ProofAnswer, { kind: 'too-many-attempts' }>,
): Problem {
  if (enoughToday === true) return doneEnoughToday(retryAfter)
  if (blockedUntil === null) return { code: 'too-many-attempts', retryAfter }
  const key = blockedText(asked)
  const until = new Date(blockedUntil)
  return { code: 'too-many-attempts', retryAfter, text: { key }, blockedUntil: until }
}

/** It is only this action that is over for the day. Codes still work. */
export function doneEnoughToday(retryAfter: number): Problem {
  return { code: 'too-many-attempts', retryAfter, text: { key: 'settings.enough-today' } }
}
