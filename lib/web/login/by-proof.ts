import { canResync, codeLengthsOf, codeSourceOf } from '../../domain/authenticators.js'
import { misfitOf } from '../../domain/proof.js'
import type { UserContext } from '../../domain/standing.js'
import { backupCodesLeft, canBeRight } from '../../factors/backup-codes/kept.js'
import type { Authenticator, Proof } from '../../factors/factors.js'
import type { ProofAnswer, ProofAttempt } from '../../service/challenge.js'
import { malformed, type Problem } from '../../text/problem.js'
import type { Exchange } from '../request/handler.js'
import { pagePath } from '../request/page-path.js'
import { proofIn } from '../request/proof-field.js'
import type { Site } from '../request/site.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
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
  return proof === null ? { problem: malformedCode(exchange) } : byReadProof(exchange, proof, act)
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
  if (answer.kind === 'malformed-request') {
    return { problem: isPair(proof) ? malformedPair(exchange, proof) : malformedCode(exchange) }
  }
  if (answer.kind === 'wrong-code') return { problem: wrongCode(exchange, proof, answer) }
  if (answer.kind !== 'too-many-attempts') return { problem: { code: answer.kind } }
  return { problem: tooMany(exchange, answer) }
}

type Asked = Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'visitor'>

/** The text that describes the shape of a code that this user could give. */
function malformedCode({ site, visitor }: Asked): Problem {
  const { record } = visitor
  const digits = digitsOf(record)
  const backup = acceptsBackupCodes(site, visitor)
  return { ...malformed('code'), text: { key: malformedText(record, backup), digits } }
}

function digitsOf(record: UserContext['record']): readonly number[] {
  const lengths = codeLengthsOf(record)
  return lengths.length === 0 ? [6] : lengths
}

/** No backup code has a place in a pair. */
function malformedPair({ visitor }: Asked, proof: Proof): Problem {
  const { record } = visitor
  const [key, digits] = [malformedText(record, false), digitsOf(record)] as const
  return { ...malformed(misfitOf(proof, record)), text: { key, digits } }
}

function isPair(proof: Proof): boolean {
  return proof.some(({ next }) => next !== undefined)
}

/** Texts about an app do not fit a key fob. */
function malformedText(record: UserContext['record'], backup: boolean) {
  if (codeSourceOf(record) === 'app') {
    return backup ? 'factor.totp.malformed-backup' : 'factor.totp.malformed'
  }
  return backup ? 'factor.hotp.malformed-backup' : 'factor.hotp.malformed'
}

function blockedText(record: UserContext['record'], backup: boolean) {
  if (codeSourceOf(record) === 'app') {
    return backup ? 'factor.totp.blocked-backup' : 'factor.totp.blocked'
  }
  return backup ? 'factor.hotp.blocked-backup' : 'factor.hotp.blocked'
}

type SetUp = Pick<Authenticator, 'type' | 'digits'>

/** The text for malformed input at a set-up: only a code of this authenticator is possible. */
export function malformedAtSetup({ type, digits }: SetUp): Problem {
  return { ...malformed('code'), text: { key: `factor.${type}.malformed`, digits: [digits] } }
}

/** A wrong code at a set-up. The advice to wait, and to check the clock, is no good for a button. */
export function wrongAtSetup(setUp: SetUp | null, clockOff: number | null): Problem {
  return {
    code: 'wrong-code',
    ...(clockOff === null ? {} : { clockOff }),
    ...(setUp?.type === 'hotp' ? { text: { key: 'factor.hotp.setup-wrong' } } : {}),
  }
}

/**
 * The advice to wait for the next code and to check the phone's clock does not fit a backup code.
 */
function wrongCode(
  { site, visitor }: Asked,
  proof: Proof,
  { triesLeft, missesLeft }: Extract<ProofAnswer, { kind: 'wrong-code' }>,
): Problem {
  if (triesLeft === 0) return { code: 'wrong-code', text: { key: 'challenge.last-wrong-code' } }
  const locked = missesLeft === 0 && proof.some(({ factor }) => factor.role === 'main')
  const key = locked ? lockedText(site, visitor) : wrongText(site, visitor, proof)
  return {
    code: 'wrong-code',
    ...(key === null ? {} : { text: { key } }),
    ...(triesLeft === null ? {} : shownTries(triesLeft, missesLeft, locked)),
  }
}

/** @param locks whether it is this code that has locked the authenticators */
function shownTries(triesLeft: number, missesLeft: number, locks: boolean) {
  // They were locked before: a backup code still has the tries of the login.
  if (missesLeft === 0 && !locks) return { triesLeft, lastLocks: false }
  return { triesLeft: Math.min(triesLeft, missesLeft), lastLocks: missesLeft <= triesLeft }
}

/** The wait and the lock block the authenticators alone: a backup code still works. */
function lockedText(site: Site, { record, policy }: Asked['visitor']) {
  return blockedText(
    record,
    policy.backupCodes && backupCodesLeft(record.backupCodes, site.keyIds) > 0,
  )
}

/** Null: the text of the problem's code, which is about an app. */
function wrongText(site: Site, visitor: Asked['visitor'], proof: Proof) {
  if (isPair(proof)) return 'resync.wrong'
  const backup = proof.every(({ factor }) => factor.role === 'spare')
  if (backup && acceptsBackupCodes(site, visitor)) return 'factor.backup-code.wrong'
  if (codeSourceOf(visitor.record) === 'device') return 'factor.hotp.wrong'
  // To set the clock would not help: the codes are out of step because it was set.
  return canResync(visitor.record) ? 'factor.several.wrong' : null
}

function tooMany(
  { site, visitor }: Asked,
  { retryAfter, blockedUntil, enoughToday }: Extract<ProofAnswer, { kind: 'too-many-attempts' }>,
): Problem {
  if (enoughToday === true) return doneEnoughToday(retryAfter)
  if (blockedUntil === null) return { code: 'too-many-attempts', retryAfter }
  const key = lockedText(site, visitor)
  const until = new Date(blockedUntil)
  return { code: 'too-many-attempts', retryAfter, text: { key }, blockedUntil: until }
}

/** It is only this action that is over for the day. Codes still work. */
export function doneEnoughToday(retryAfter: number): Problem {
  return { code: 'too-many-attempts', retryAfter, text: { key: 'settings.enough-today' } }
}

/** Whether a backup code could be right. */
export function acceptsBackupCodes(
  { keyIds }: Pick<Site, 'keyIds'>,
  { record, policy }: Pick<UserContext, 'record' | 'policy'>,
): boolean {
  return policy.backupCodes && canBeRight(record.backupCodes, keyIds)
}
