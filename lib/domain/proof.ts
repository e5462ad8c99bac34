import type { Circumstances, FactorAnswer, Moment } from '../factors/factor.js'
import {
  type AnyCodeFactor,
  type AnyKeyFactor,
  type AnySpareFactor,
  type Authenticator,
  type FactorMethod,
  isAuthenticator,
  type Proof,
  type Reading,
} from '../factors/factors.js'
import { isAccepted } from './accepted-methods.js'
import { addMiss, blockOf, dropOldMisses } from './attempts.js'
import { isEnrolled } from './authenticators.js'
import { anyOf, countedMethods, leadsToAccepted, type ProofRules } from './counted-methods.js'
import type { Decision } from './decision.js'
import { namedDetail, type SecondStepEvent } from './event.js'
import { judgeKey, keyRefusal } from './key-proof.js'
import { lockEvent } from './lock-event.js'
import { endMailReset } from './mail-reset.js'
import { authenticatorBlock, capsOf } from './miss-budget.js'
import { PENDING_LASTS, type PendingLogin } from './pending-login.js'
import type { Policy } from './policy.js'
import { accept, acceptedBy, type ProofVerdict, unchanged, uncounted } from './proof-verdict.js'
import type { SecondStepRecord } from './record.js'
import type { Method } from './stamp.js'
import { withoutTrust } from './trusted-browsers.js'
import { weakerMethodUsed } from './weaker-method.js'

/** The circumstances in which a proof is judged. */
export interface ProofContext extends ProofRules {
  readonly policy: Pick<Policy, 'backupCodes' | 'version'>
}

/** The reason why a proof is refused unseen, at no cost. */
export type ProofRefusal =
  | 'malformed-request'
  | 'switched-off'
  /** A rule accepts other methods only. */
  | 'stronger-factor-required'
  | 'not-enrolled'

/** The reason why this proof is refused unseen, or null if at least one factor may judge it. */
export function proofRefusal(
  proof: Proof,
  record: SecondStepRecord,
  context: ProofContext,
): ProofRefusal | null {
  const refusals = proof.map((reading) => readingRefusal(reading, record, context))
  if (refusals.includes(null)) return null
  const first = ['switched-off', 'stronger-factor-required', 'malformed-request'] as const
  return first.find((refusal) => refusals.includes(refusal)) ?? 'not-enrolled'
}

/** The methods of which one would do, where rules have refused this proof. */
export function acceptedInstead(
  proof: Proof,
  record: SecondStepRecord,
  context: ProofContext,
): readonly FactorMethod[] {
  const refused = proof.filter(
    (reading) => readingRefusal(reading, record, context) === 'stronger-factor-required',
  )
  return anyOf(refused.map(({ factor }) => countedMethods(record, context, factor.opens) ?? []))
}

function readingRefusal(
  reading: Reading,
  record: SecondStepRecord,
  context: ProofContext,
): ProofRefusal | null {
  const refusal = refusalOfFactor(reading, record, context)
  if (refusal !== null || counts(reading, record, context)) return refusal
  return 'stronger-factor-required'
}

function counts({ factor }: Reading, record: SecondStepRecord, context: ProofContext): boolean {
  return isAccepted(countedMethods(record, context, factor.opens), factor.method)
}

function refusalOfFactor(
  { factor, given, next }: Reading,
  record: SecondStepRecord,
  context: ProofContext,
): ProofRefusal | null {
  if (factor.role === 'spare') return factor.refusal(circumstancesOf(record, context))
  if (factor.misses === 'uncounted') return keyRefusal(record, factor, given)
  const bound = record.authenticators.filter((kept) => isAsked(kept, { factor, next }))
  // Somebody who has keys alone may type what is meant for a device of somebody else.
  const shape = isEnrolled(record) && next === undefined ? 'malformed-request' : 'not-enrolled'
  if (bound.length === 0) return shape
  return bound.some((kept) => fits(kept, { factor, given, next })) ? null : 'malformed-request'
}

/** The field of a malformed pair that has no shape of a code of the user's. */
export function misfitOf(proof: Proof, record: SecondStepRecord): 'code' | 'nextCode' {
  const firstFits = proof.filter(isMain).some((reading) => {
    const bound = record.authenticators.filter((kept) => isAsked(kept, reading))
    return bound.some((kept) => reading.factor.fits(kept, reading.given))
  })
  return firstFits ? 'nextCode' : 'code'
}

/** A code that a main factor shows. */
interface MainReading extends Reading {
  readonly factor: AnyCodeFactor
}

function isMain(reading: Reading): reading is MainReading {
  return reading.factor.role === 'main' && reading.factor.misses === 'lock'
}

/** An answer of a key. */
interface KeyReading extends Reading {
  readonly factor: AnyKeyFactor
}

function isOfKey(reading: Reading): reading is KeyReading {
  return reading.factor.role === 'main' && reading.factor.misses === 'uncounted'
}

/** Two consecutive answers are for what can be out of step. */
function isAsked(kept: Authenticator, { factor, next }: Omit<MainReading, 'given'>): boolean {
  return kept.type === factor.method && (next === undefined || factor.canResync(kept))
}

function fits(kept: Authenticator, { factor, given, next }: MainReading): boolean {
  return factor.fits(kept, given) && (next === undefined || factor.fits(kept, next))
}

function circumstancesOf(
  record: SecondStepRecord,
  { policy, pending }: ProofContext,
): Circumstances {
  return {
    enrolled: isEnrolled(record),
    pending: pending !== null,
    backupCodes: policy.backupCodes,
    oneTimeCodes: record.oneTimeCodes.length > 0,
  }
}

/**
 * Judges a proof: asks each factor whose shape it has in turn, until one knows it. While the
 * authenticators wait or are locked, it asks none of them. So a right and a wrong code cannot be
 * told apart, and neither is written. What is right, but of no use by the rules, opens the set-up alone.
 */
export async function judgeProof(
  record: SecondStepRecord,
  proof: Proof,
  context: ProofContext,
  moment: Moment,
): Promise<Decision<ProofVerdict>> {
  const decision = await judged(record, proof, context, moment)
  const { pending } = context
  if (decision.answer.kind !== 'accepted' || pending === null) return decision
  if (!leadsToAccepted(record, context)) return decision
  return grantSetup(decision.record, { ...context, pending }, decision.events, moment.now)
}

async function judged(
  record: SecondStepRecord,
  proof: Proof,
  context: ProofContext,
  moment: Moment,
): Promise<Decision<ProofVerdict>> {
  const askable = proof.filter((reading) => readingRefusal(reading, record, context) === null)
  const ofKey = askable.find(isOfKey)
  if (ofKey !== undefined) return judgeKey(record, ofKey, moment)
  const [first, ...others] = askable.filter(isMain)
  if (first !== undefined) return judgeMain(record, [first, ...others], context, moment)
  let verdict = unchanged(record, { kind: 'not-enrolled' })
  for (const { factor, given } of askable) {
    if (factor.role === 'main') continue
    const one = await judgeSpare(record, factor, given, context, moment)
    // What is a guess at one of them costs a try, even if none of another could be right.
    if (one.known || !isGuess(verdict)) verdict = one.decision
    if (one.known) break
  }
  return verdict
}

function isGuess({ answer }: Decision<ProofVerdict>): boolean {
  return answer.kind === 'wrong-code' && answer.counted
}

/** Answers of main factors look alike: all are judged together, with one miss at most. */
async function judgeMain(
  record: SecondStepRecord,
  readings: readonly [MainReading, ...MainReading[]],
  { accepted: rule }: ProofContext,
  moment: Moment,
): Promise<Decision<ProofVerdict>> {
  const { window, now } = moment
  const [{ factor: first }] = readings
  const block = authenticatorBlock(record, window, now)
  if (block !== null) return unchanged(record, { kind: 'blocked', until: block.until })
  const { answers, failures } = await askAll(record, readings, moment)
  // A code that one authenticator has burned stays burned, even if another has the same code by
  // chance.
  if (answers.some(({ answer }) => answer.kind === 'used')) return uncounted(record)
  for (const { reading, answer } of answers) {
    if (answer.kind !== 'right' || !isAuthenticator(answer.kept)) continue
    const { factor, next } = reading
    const authenticators = burnedIn(record, answers)
    // Two consecutive codes are looked for hours around, so they prove no clock.
    const isClockRight = factor.provesClock && next === undefined
    const attempts = isClockRight ? dropOldMisses(record.attempts, now) : record.attempts
    const accepted = acceptedBy(answer.kept, record.authenticators.length > 1)
    const inStep = next === undefined ? [] : [resynchronised(answer.kept)]
    const others = [...inStep, ...weakerMethodUsed(record, factor.method, rule, moment)]
    return accept({ ...record, authenticators, attempts }, accepted, others, now)
  }
  const [failure] = failures
  if (failure !== undefined && answers.length === 0) throw failure.error
  const decision = missed(afterMiss(record, answers), first.method, window, now)
  return failure === undefined ? decision : { ...decision, answer: { kind: 'failed', ...failure } }
}

interface Asked {
  readonly answers: readonly MainAnswer[]
  readonly failures: readonly { readonly error: unknown }[]
}

/** All at once, so that keys that are silent keep the visitor for no longer than one. */
async function askAll(
  record: SecondStepRecord,
  readings: readonly MainReading[],
  moment: Moment,
): Promise<Asked> {
  const asked = record.authenticators.flatMap((kept, index) =>
    readings
      .filter((reading) => isAsked(kept, reading) && fits(kept, reading))
      .map(async (reading) => ({ index, reading, answer: await ask(kept, reading, moment) })),
  )
  const settled = await Promise.allSettled(asked)
  return {
    answers: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    failures: settled.flatMap((one) => (one.status === 'rejected' ? [{ error: one.reason }] : [])),
  }
}

/** The code is burned in each authenticator that has it, by chance: what opened one door opens no other. */
function burnedIn(
  { authenticators }: SecondStepRecord,
  answers: readonly MainAnswer[],
): readonly Authenticator[] {
  return authenticators.map((one, at) => {
    const answer = answers.find(({ index }) => index === at)?.answer
    return answer?.kind === 'right' && isAuthenticator(answer.kept) ? answer.kept : one
  })
}

function resynchronised(kept: Authenticator): SecondStepEvent {
  return { type: 'resynchronised', method: kept.type, detail: namedDetail(kept) }
}

interface MainAnswer {
  /** The place of the authenticator in the record. */
  readonly index: number
  readonly reading: MainReading
  readonly answer: FactorAnswer<unknown>
}

function ask(
  kept: Authenticator,
  { factor, given, next }: MainReading,
  moment: Moment,
): Promise<FactorAnswer<unknown>> {
  return next === undefined
    ? factor.answer(kept, given, moment)
    : factor.resync(kept, [given, next], moment)
}

/** Some authenticators note a miss. */
function afterMiss(record: SecondStepRecord, answers: readonly MainAnswer[]): SecondStepRecord {
  const noted = answers.flatMap(({ index, answer }) =>
    answer.kind === 'wrong' && isAuthenticator(answer.kept) ? [{ index, kept: answer.kept }] : [],
  )
  if (noted.length === 0) return record
  const authenticators = [...record.authenticators]
  for (const { index, kept } of noted) authenticators[index] = kept
  return { ...record, authenticators }
}

/** `known`: the factor has an answer of its own, so no other needs to be asked. */
interface Judged {
  readonly known: boolean
  readonly decision: Decision<ProofVerdict>
}

async function judgeSpare(
  record: SecondStepRecord,
  factor: AnySpareFactor,
  given: unknown,
  context: ProofContext,
  moment: Moment,
): Promise<Judged> {
  const answer = await factor.answer(record[factor.keptAs], given, moment)
  if (answer.kind === 'used') return { known: true, decision: uncounted(record) }
  // A spare factor has nothing that could be copied.
  if (answer.kind !== 'right') {
    if (answer.kind === 'wrong' && answer.guess === false)
      return { known: false, decision: uncounted(record) }
    const events = [{ type: 'wrong-code', method: factor.method }] as const
    const verdict = { kind: 'wrong-code', counted: true } as const
    return { known: false, decision: { record, answer: verdict, events } }
  }
  const { method } = factor
  const ofFactor = answer.events.map((event) => ({ ...event, method }) as SecondStepEvent)
  const others = [...ofFactor, ...weakerMethodUsed(record, method, context.accepted, moment)]
  const proven = { ...record, [factor.keptAs]: answer.kept }
  const decision =
    factor.opens === 'setup' && context.pending !== null
      ? grantSetup(proven, { ...context, pending: context.pending }, others, moment.now)
      : accept(proven, { type: 'code-accepted', method }, others, moment.now)
  return { known: true, decision }
}

function grantSetup(
  record: SecondStepRecord,
  { pending, policy }: { readonly pending: PendingLogin; readonly policy: Pick<Policy, 'version'> },
  others: readonly SecondStepEvent[],
  now: number,
): Decision<ProofVerdict> {
  const { events, ...ended } = endMailReset(record, now)
  // The pending login itself may end before.
  const setupGrant = { owner: pending.id, until: now + PENDING_LASTS, policy: policy.version }
  return {
    record: { ...withoutTrust(ended.record), setupGrant },
    answer: { kind: 'setup-granted' },
    events: [...others, ...events],
  }
}

function missed(
  record: SecondStepRecord,
  method: Method,
  window: number,
  now: number,
): Decision<ProofVerdict> {
  const caps = capsOf(record, window, now)
  const attempts = addMiss(record.attempts, caps, now)
  const block = blockOf(attempts, caps, now)
  return {
    record: { ...record, attempts },
    answer: { kind: 'wrong-code', counted: true },
    events: [
      { type: 'wrong-code', method },
      ...(block?.locked === true ? [lockEvent(method, block.until)] : []),
    ],
  }
}
